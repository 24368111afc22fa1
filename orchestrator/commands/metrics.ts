/** `kamelab metrics`: the living labs of this host as Prometheus text, once or over HTTP. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CONTENT_TYPE, exposition } from '#node/exposition.ts';
import { kernelDrivers } from '../drivers/choose.ts';
import { ExitCode } from '../exit-code.ts';
import { loadKinds } from '../kinds.ts';
import { HostMetrics } from '../lab-metrics.ts';
import { noLab } from './find-lab.ts';

export async function metrics(
  labs: readonly string[],
  options: { listen?: number },
  signal: AbortSignal,
): Promise<number> {
  const drivers = await kernelDrivers(loadKinds());
  const host = new HostMetrics(drivers);
  if (options.listen === undefined) {
    const all = (await Promise.all(drivers.map((driver) => driver.list()))).flat();
    const missing = labs.find((name) => !all.some(({ id }) => id === name));
    if (missing !== undefined) throw noLab(missing, all);
    process.stdout.write(exposition(await host.collect(labs)));
    return ExitCode.done;
  }
  // labs may come and go while it listens
  const server = await serveMetrics(host, labs, options.listen);
  const { port } = server.address() as AddressInfo;
  console.log(`metrics are at http://127.0.0.1:${port}/metrics (Ctrl-C ends)`);
  if (!signal.aborted) await once(signal, 'abort');
  server.closeAllConnections();
  server.close();
  return ExitCode.done;
}

export async function serveMetrics(host: HostMetrics, labs: readonly string[], port: number): Promise<Server> {
  const server = createServer((request, response) => {
    const known = request.url?.split('?')[0] === '/metrics';
    if (!known || (request.method !== 'GET' && request.method !== 'HEAD')) {
      response.writeHead(known ? 405 : 404, { 'Content-Type': 'text/plain' });
      response.end(known ? 'GET it\n' : 'metrics are at /metrics\n');
      return;
    }
    host.collect(labs).then(
      (families) => response.writeHead(200, { 'Content-Type': CONTENT_TYPE }).end(exposition(families)),
      (error: unknown) => response.writeHead(503, { 'Content-Type': 'text/plain' }).end(`${error}\n`),
    );
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
