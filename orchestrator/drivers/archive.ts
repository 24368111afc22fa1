/** Bytes of a name in the header. */
const NAME = 100;

/** A tar archive (POSIX ustar) of one file, as the engine takes files for a container. Throws when the name has no room. */
export function archive(path: string, content: string): Buffer {
  const name = Buffer.from(path);
  if (name.length > NAME) throw new Error(`${path}: a file's path below its volume has ${NAME} bytes at most`);
  const body = Buffer.from(content);
  const header = Buffer.alloc(512);
  name.copy(header);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${body.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('        ', 148);
  header.write('0', 156);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, body, Buffer.alloc(((512 - (body.length % 512)) % 512) + 1024)]);
}
