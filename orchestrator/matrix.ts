/** Which cells there are: scenario × variant × implementations in its roles × driver. */
import type { Cell } from './cell.ts';
import type { Driver, DriverName } from './drivers/driver.ts';
import type { Kind } from './kinds.ts';
import type { Scenario } from './scenario.ts';

export interface Choice {
  /** Shell patterns over scenario names or whole cell ids; none: all. */
  readonly patterns: readonly string[];
  /** Kinds that may play; none: all registered. */
  readonly implementations: readonly string[];
}

export function cells(
  scenarios: readonly Scenario[],
  kinds: ReadonlyMap<string, Kind>,
  drivers: readonly Driver[],
  choice: Choice,
): Cell[] {
  const named = drivers.map((driver) => ({ name: driver.name, driver }));
  return combinations(scenarios, kinds, named, choice).map(({ world, ...cell }) => ({ ...cell, driver: world.driver }));
}

/** Of all cells that there can be, on a machine that has everything. */
export function everyId(
  scenarios: readonly Scenario[],
  kinds: ReadonlyMap<string, Kind>,
  drivers: readonly DriverName[],
): string[] {
  const all = { patterns: [], implementations: [] };
  const worlds = drivers.map((name) => ({ name }));
  return combinations(scenarios, kinds, worlds, all).map(({ id }) => id);
}

type Combination<World> = Omit<Cell, 'driver'> & { readonly world: World };

function combinations<World extends { readonly name: DriverName }>(
  scenarios: readonly Scenario[],
  kinds: ReadonlyMap<string, Kind>,
  worlds: readonly World[],
  choice: Choice,
): Combination<World>[] {
  const playing = [...kinds.values()].filter(
    (kind) => choice.implementations.length === 0 || choice.implementations.includes(kind.kind),
  );
  const found: Combination<World>[] = [];
  for (const scenario of scenarios) {
    for (const variant of Object.keys(scenario.variants)) {
      for (const roles of castings(scenario, playing)) {
        for (const world of worlds) {
          if (!Object.values(roles).every((kind) => kinds.get(kind)!.drivers.includes(world.name))) continue;
          const id = [scenario.name, variant, Object.values(roles).join('-'), world.name].join('/');
          if (chosen(choice.patterns, id)) found.push({ id, scenario, variant, roles, world });
        }
      }
    }
  }
  return found;
}

/** Every way to fill the roles, in the order of roles and kinds. */
function castings(scenario: Scenario, kinds: readonly Kind[]): Record<string, string>[] {
  let casts: Record<string, string>[] = [{}];
  for (const [role, { needs = [], only }] of Object.entries(scenario.roles)) {
    const able = kinds.filter(
      (kind) =>
        needs.every((capability) => kind.capabilities.includes(capability)) &&
        (only === undefined || only.includes(kind.kind)),
    );
    casts = casts.flatMap((cast) => able.map((kind) => ({ ...cast, [role]: kind.kind })));
  }
  return casts;
}

const chosen = (patterns: readonly string[], id: string): boolean =>
  patterns.length === 0 || patterns.some((pattern) => matchesCell(pattern, id));

/** A shell pattern over a scenario's name or a whole id, or the beginning of an id: `nu*`, `nud/tun`. */
export function matchesCell(pattern: string, id: string): boolean {
  const expression = new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  );
  return expression.test(id.split('/')[0]!) || expression.test(id) || id.startsWith(`${pattern}/`);
}
