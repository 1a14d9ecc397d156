/** An internal server on one port of 127.0.0.1 and [::1]. It counts connections, and answers every request. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Canary {
  readonly port: number;
  /** The number of connections that were ever opened. */
  readonly connections: number;
  stop(): Promise<void>;
}

export async function startCanary(): Promise<Canary> {
  let connections = 0;
  const start = async (host: string, port: number): Promise<Server> => {
    const server = createServer((_request, response) => response.end('inside'));
    server.on('connection', () => {
      connections += 1;
    });
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
    return server;
  };
  const four = await start('127.0.0.1', 0);
  const { port } = four.address() as AddressInfo;
  const six = await start('::1', port);
  const stop = async () => {
    for (const server of [four, six]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  };
  return {
    port,
    get connections() {
      return connections;
    },
    stop,
  };
}
