import { readFileSync } from 'node:fs';

/** A header as scapy reads it back: its class and its fields by scapy's names. */
export type ScapyLayer = Readonly<Record<string, unknown>> & { readonly layer: string };

export interface Vector {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly scapy: readonly ScapyLayer[];
}

const rows = JSON.parse(readFileSync(new URL('./frames.json', import.meta.url), 'utf8')) as {
  name: string;
  hex: string;
  scapy: ScapyLayer[];
}[];

/** Ethernet frames made by generate.py. */
export const frames: readonly Vector[] = rows.map(({ name, hex, scapy }) => ({
  name,
  bytes: new Uint8Array(Buffer.from(hex, 'hex')),
  scapy,
}));
