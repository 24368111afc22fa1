/** The arrows of CONTRIBUTING.md: who may import whom. Read from the imports themselves. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const ALIASES: Readonly<Record<string, string>> = {
  '#stack/': 'stack/',
  '#node/': 'node-image/',
  '#orchestrator/': 'orchestrator/',
  '#tests/': 'tests/',
};

interface Import {
  readonly file: string;
  /** A path from the root, or the name of a package or built-in. */
  readonly target: string;
  readonly typeOnly: boolean;
}

const files = globSync('{stack,node-image,orchestrator,tun-tap,topologies}/**/*.ts', { cwd: ROOT }).filter(
  (file) => !file.startsWith('tun-tap/test/'),
);
const imports: Import[] = files.flatMap((file) => {
  const text = readFileSync(join(ROOT, file), 'utf8');
  return [...text.matchAll(/^(?:import|export)(\s+type)?\s[^;]*?from '([^']+)'/gm)].map(([, type, from]) => ({
    file,
    target: resolved(file, from!),
    typeOnly: type !== undefined,
  }));
});

function resolved(file: string, from: string): string {
  for (const [alias, folder] of Object.entries(ALIASES))
    if (from.startsWith(alias)) return folder + from.slice(alias.length);
  return from.startsWith('.') ? normalize(join(dirname(file), from)) : from;
}

const inside = (path: string, ...folders: readonly string[]): boolean =>
  folders.some((folder) => path.startsWith(`${folder}/`));
const show = ({ file, target }: Import): string => `${file} -> ${target}`;

function forbidden(from: (file: string) => boolean, to: (target: string) => boolean, types = true): string[] {
  return imports.filter((one) => from(one.file) && to(one.target) && (types || !one.typeOnly)).map(show);
}

describe('arrows between folders', () => {
  test('stack/wire imports only stack/wire', () => {
    expect(
      forbidden(
        (file) => inside(file, 'stack/wire'),
        (target) => !inside(target, 'stack/wire'),
      ),
    ).toEqual([]);
  });

  test('stack/env and stack/packet import only each other and stack/wire', () => {
    const allowed = (target: string): boolean => inside(target, 'stack/wire', 'stack/env', 'stack/packet');
    // the one type that names all of a node's surroundings knows the clock, the random source and the pool
    expect(
      forbidden(
        (file) => inside(file, 'stack/env', 'stack/packet'),
        (target) => !allowed(target),
      ),
    ).toEqual([]);
  });

  test('the stack imports nothing above it, no built-in and no package', () => {
    expect(
      forbidden(
        (file) => inside(file, 'stack'),
        (target) => !inside(target, 'stack'),
      ),
    ).toEqual([]);
  });

  test('the stack reads no clock, no random source and no console of its own', () => {
    const reads = files
      .filter((file) => inside(file, 'stack'))
      .filter((file) =>
        /\b(Date\.|performance\.|Math\.random|setTimeout|setInterval|setImmediate|console\.|process\.)/.test(
          code(file),
        ),
      );
    expect(reads).toEqual([]);
  });

  test('tools and daemons know system.ts and stack/wire, not the stack', () => {
    const allowed = (target: string): boolean =>
      inside(target, 'node-image/tools', 'node-image/daemons', 'stack/wire', 'stack/env') ||
      ['node-image/system.ts', 'node-image/node-state.ts', 'stack/counters.ts'].includes(target);
    expect(
      forbidden(
        (file) => inside(file, 'node-image/tools', 'node-image/daemons'),
        (target) => !allowed(target),
      ),
    ).toEqual([]);
  });

  test('of the orchestrator only the simulation driver and its clock run the stack; all may use its wire formats', () => {
    const simulation = ['orchestrator/drivers/simulation.ts', 'orchestrator/drivers/virtual-time.ts'];
    expect(
      forbidden(
        (file) => inside(file, 'orchestrator', 'topologies') && !simulation.includes(file),
        (target) => inside(target, 'stack') && !inside(target, 'stack/wire'),
        false,
      ),
    ).toEqual([]);
  });

  test('the node knows of the orchestrator only what a lab node is, in the adapters of peers', () => {
    expect(
      forbidden(
        (file) => inside(file, 'node-image') && !inside(file, 'node-image/peers'),
        (target) => inside(target, 'orchestrator'),
      ),
    ).toEqual([]);
    expect(
      forbidden(
        (file) => inside(file, 'node-image/peers'),
        (target) => inside(target, 'orchestrator'),
        false,
      ),
    ).toEqual([]);
  });

  test('tun-tap knows no protocol and nothing of the project', () => {
    expect(
      forbidden(
        (file) => inside(file, 'tun-tap'),
        (target) => inside(target, 'stack', 'node-image', 'orchestrator', 'tests'),
      ),
    ).toEqual([]);
  });

  test('no file is a barrel but the front of a package', () => {
    const barrels = files.filter((file) => file !== 'tun-tap/index.ts' && /^export \* from/m.test(code(file)));
    expect(barrels).toEqual([]);
  });
});

function code(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
}
