import { crashes } from './crash.ts';

crashes('process', async (name) => {
  const { DriverUnderTest } = await import('../drivers/driver-under-test.ts');
  return DriverUnderTest.load(name);
});
