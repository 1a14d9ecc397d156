/** A TCP proxy that can be cut. To its peers, a client behind it then looks like a killed process. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface SeverableLink {
  /** `127.0.0.1:port`, the address to connect to instead of the server. */
  readonly address: string;
  /** Ends open connections, and refuses new ones. */
  sever(): void;
  /** Lets connections through again. */
  mend(): void;
  stop(): Promise<void>;
}

export async function startSeverableLink(serverAddress: string): Promise<SeverableLink> {
  const [host = '', port] = serverAddress.split(':');
  const sockets = new Set<Socket>();
  let severed = false;
  const sever = (): void => {
    severed = true;
    for (const socket of sockets) socket.destroy();
  };
  const link = createServer((near) => {
    if (severed) return void near.destroy();
    const far = connect(Number(port), host);
    for (const [socket, other] of [[near, far] as const, [far, near] as const]) {
      sockets.add(socket);
      socket
        .on('error', () => {})
        .on('close', () => {
          sockets.delete(socket);
          other.destroy();
        });
      socket.pipe(other);
    }
  });
  await once(link.listen(0, '127.0.0.1'), 'listening');
  return {
    address: `127.0.0.1:${(link.address() as AddressInfo).port}`,
    sever,
    mend: () => {
      severed = false;
    },
    stop: async () => {
      const closed = once(link, 'close');
      link.close();
      sever();
      await closed;
    },
  };
}
