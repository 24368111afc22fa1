/** Files that are whole or not there. */
import { renameSync, writeFileSync } from 'node:fs';

export function writeWhole(path: string, content: string | Uint8Array): void {
  const unfinished = `${path}.${process.pid}.unfinished`;
  writeFileSync(unfinished, content);
  renameSync(unfinished, path);
}
