/** The implementations that can play a role: one folder each in `node-image/peers`, described by its `peer.yaml`. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { UsageError } from './usage-error.ts';

const schema = z.strictObject({
  kind: z.string().regex(/^[a-z][a-z0-9-]*$/),
  title: z.string(),
  /** `tap`: a userspace node that holds the TAPs of its links. `kernel`: interfaces of a kernel in its namespace. */
  attachment: z.enum(['tap', 'kernel']),
  image: z.string(),
  drivers: z.array(z.enum(['docker', 'process', 'sim'])),
  /** Bytes a node of it takes, written `60M`: as many cells run at once as the machine has room for. */
  memory: z
    .string()
    .regex(/^\d+[KMG]$/, 'expected an amount of memory such as 60M, in K, M or G')
    .default('60M')
    .transform((text) => Number.parseInt(text, 10) * 1024 ** ('KMG'.indexOf(text.at(-1)!) + 1)),
  /** What it can do, as scenarios ask for it. */
  capabilities: z.array(z.string()),
});

export type Kind = z.infer<typeof schema>;

const PEERS = join(import.meta.dirname, '../node-image/peers');

export function loadKinds(folder = PEERS): ReadonlyMap<string, Kind> {
  const kinds = new Map<string, Kind>();
  for (const name of readdirSync(folder).sort()) {
    const file = join(folder, name, 'peer.yaml');
    if (!existsSync(file)) continue;
    const read = schema.safeParse(parse(readFileSync(file, 'utf8')));
    if (!read.success) throw new UsageError(`${file}: ${z.prettifyError(read.error)}`);
    kinds.set(read.data.kind, read.data);
  }
  return kinds;
}
