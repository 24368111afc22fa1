/** Which cells there are: scenario × variant × implementations in its roles × driver. */
import type { Cell } from './cell.ts';
import type { Driver } from './drivers/driver.ts';
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
  const playing = [...kinds.values()].filter(
    (kind) => choice.implementations.length === 0 || choice.implementations.includes(kind.kind),
  );
  const found: Cell[] = [];
  for (const scenario of scenarios) {
    for (const variant of Object.keys(scenario.variants)) {
      for (const roles of castings(scenario, playing)) {
        for (const driver of drivers) {
          if (!Object.values(roles).every((kind) => kinds.get(kind)!.drivers.includes(driver.name))) continue;
          const id = [scenario.name, variant, Object.values(roles).join('-'), driver.name].join('/');
          if (chosen(choice.patterns, scenario.name, id)) found.push({ id, scenario, variant, roles, driver });
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

function chosen(patterns: readonly string[], name: string, id: string): boolean {
  if (patterns.length === 0) return true;
  return patterns.some((pattern) => {
    const expression = new RegExp(
      `^${pattern
        .replace(/[.+^${}()|[\]\\]/g, '\\$&')
        .replaceAll('*', '.*')
        .replaceAll('?', '.')}$`,
    );
    return expression.test(name) || expression.test(id) || id.startsWith(`${pattern}/`);
  });
}
