/** `kamelab ps`. */
import { allDrivers } from '../drivers/choose.ts';
import { ExitCode } from '../exit-code.ts';
import { loadKinds } from '../kinds.ts';

export async function list(options: { json?: boolean }): Promise<number> {
  const labs = (await Promise.all(allDrivers(loadKinds()).map((driver) => driver.list()))).flat();
  if (options.json === true) {
    console.log(JSON.stringify(labs, undefined, 2));
    return ExitCode.done;
  }
  const rows = [['LAB', 'DRIVER', 'NODE', 'KIND', 'STATE', 'CONTROL']];
  for (const lab of labs) {
    for (const node of lab.nodes)
      rows.push([lab.id, lab.driver, node.name, node.kind, node.running ? 'running' : 'dead', node.control]);
  }
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  for (const row of rows)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    );
  return ExitCode.done;
}
