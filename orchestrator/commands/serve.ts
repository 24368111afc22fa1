/** `kamelab serve`: the report over HTTP, until Ctrl-C. */
import { once } from 'node:events';
import { ExitCode } from '../exit-code.ts';
import { serveReport } from '../report/serve.ts';

export async function serve(
  folder: string,
  options: { port: number; host: string },
  signal: AbortSignal,
): Promise<number> {
  const server = await serveReport(folder, options.port, options.host);
  console.log(`the report is at ${server.url} (Ctrl-C ends)`);
  if (!signal.aborted) await once(signal, 'abort');
  await server.close();
  return ExitCode.done;
}
