import { defineConfig } from 'vitest/config';

// unit: no privilege, virtual time only. real: root, real kernel links; one file at a time so that files don't share a lab.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['tests/**/*.test.ts', 'tun-tap/test/**/*.test.ts'],
          exclude: ['tests/**/*.real.test.ts', 'tun-tap/test/**/*.real.test.ts'],
        },
      },
      {
        test: {
          name: 'real',
          include: ['tests/**/*.real.test.ts', 'tun-tap/test/**/*.real.test.ts'],
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
