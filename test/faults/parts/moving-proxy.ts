/** A proxy to Postgres that moves from one server to another, as the endpoint of a cluster does. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface MovingProxy {
  /** Returns `url` with the host and port of the proxy. */
  through(url: string): string;
  /** Ends all connections. New ones lead to this port. */
  moveTo(port: number): void;
  stop(): Promise<void>;
}

export async function startMovingProxy(serverPort: number): Promise<MovingProxy> {
  let target = serverPort;
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
  };
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    for (const socket of [client, upstream]) keep(socket);
    client.pipe(upstream).pipe(client);
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    through: (url) => Object.assign(new URL(url), { port: String(port) }).href,
    moveTo: (to) => {
      target = to;
      cut();
    },
    stop: async () => {
      cut();
      await new Promise((done) => server.close(done));
    },
  };
}
