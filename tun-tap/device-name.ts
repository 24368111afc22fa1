/** IFNAMSIZ is 16 with the closing zero. */
const LONGEST = 15;

/** Throws what is wrong with a device's name; the kernel would say only EINVAL, or cut it. `%d` asks for the first free number. */
export function requireDeviceName(name: string): void {
  if (typeof name !== 'string' || name === '') throw new TypeError('a device needs a name');
  const length = Buffer.byteLength(name);
  if (length > LONGEST) throw new RangeError(`device name '${name}' has ${length} bytes, ${LONGEST} are allowed`);
  if (name === '.' || name === '..' || /[\s/:\0]/.test(name)) {
    throw new RangeError(`'${name}' is not a device name: no white space, '/' or ':'`);
  }
}
