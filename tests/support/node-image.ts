/** The image that the docker driver starts nodes from, as the sources are now; a run of scripts/test has seen to it already. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

export function refreshNodeImage(): void {
  if (process.env['KAMELAB_IMAGES'] === 'current') return;
  const root = join(import.meta.dirname, '../..');
  const { status, stderr } = spawnSync('sh', ['scripts/images', 'node'], { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`scripts/images node ended with ${status}: ${stderr}`);
  process.env['KAMELAB_IMAGES'] = 'current';
}
