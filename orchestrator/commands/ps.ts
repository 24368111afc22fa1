/** `kamelab ps`. */
import { kernelDrivers } from '../drivers/choose.ts';
import type { LabSummary } from '../drivers/driver.ts';
import { ExitCode } from '../exit-code.ts';
import { loadKinds } from '../kinds.ts';
import { findNode, noLab } from './find-lab.ts';

const HEADING = ['LAB', 'DRIVER', 'NODE', 'KIND', 'STATE', 'CONTROL'];

export async function list(
  id: string | undefined,
  node: string | undefined,
  options: { json?: boolean; control?: boolean },
): Promise<number> {
  const drivers = await kernelDrivers(loadKinds());
  const all = (await Promise.all(drivers.map((driver) => driver.list()))).flat();
  let labs = id === undefined ? all : all.filter((lab) => lab.id === id);
  if (id !== undefined && labs.length === 0) throw noLab(id, all);
  if (node !== undefined) labs = labs.map((lab) => ({ ...lab, nodes: [findNode(lab, node)] }));
  if (options.control === true) {
    for (const { control } of labs.flatMap(({ nodes }) => nodes)) if (control !== '') console.log(control);
  } else if (options.json === true) console.log(JSON.stringify(labs, undefined, 2));
  else for (const line of table([HEADING, ...labs.flatMap(rows)])) console.log(line);
  return ExitCode.done;
}

const rows = ({ id, driver, nodes }: LabSummary): string[][] =>
  nodes.map(({ name, kind, running, control }) => [id, driver, name, kind, running ? 'running' : 'dead', control]);

function table(lines: readonly (readonly string[])[]): string[] {
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
}
