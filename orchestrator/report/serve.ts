/** The report over HTTP, for those who can't open a file: a browser on another machine, a container's port. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import sirv from 'sirv';
import { UsageError } from '../usage-error.ts';

export interface ReportServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Port 0: any that is free. Files are read when asked for, so a report that is written anew is served anew. */
export async function serveReport(folder: string, port: number, host = '127.0.0.1'): Promise<ReportServer> {
  if (!existsSync(join(folder, 'index.html'))) throw new UsageError(`${folder}: no report is there (no index.html)`);
  const serve = sirv(folder, {
    dev: true,
    setHeaders: (response, path) => {
      response.setHeader('X-Content-Type-Options', 'nosniff');
      if (path.endsWith('.pcapng')) response.setHeader('Content-Type', 'application/x-pcapng');
      if (path.endsWith('.yaml')) response.setHeader('Content-Type', 'text/plain;charset=utf-8');
    },
  });
  const server = createServer((request, response) =>
    serve(request, response, () => {
      response.statusCode = 404;
      response.end('not found\n');
    }),
  );
  server.listen(port, host);
  await once(server, 'listening');
  const { port: chosen } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${chosen}/`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
