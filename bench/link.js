/** A TCP proxy before Postgres that lets everything through, refuses, or hangs: accepts, and passes nothing on. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** @typedef {'open' | 'refusing' | 'hanging'} LinkState */

/** @param {string} databaseUrl */
export async function startLink(databaseUrl) {
  const { hostname, port } = new URL(databaseUrl);
  /** @type {LinkState} */
  let state = 'open';
  /** @type {Set<import('node:net').Socket>} */
  const sockets = new Set();
  const link = createServer((near) => {
    if (state === 'refusing') {
      near.destroy();
      return;
    }
    const far = connect(Number(port), hostname);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.on('data', (bytes) => other.write(bytes));
      if (state === 'hanging') socket.pause();
    }
  });
  await once(link.listen(0, '127.0.0.1'), 'listening');
  const url = new URL(databaseUrl);
  url.port = String(/** @type {import('node:net').AddressInfo} */ (link.address()).port);
  return {
    url: url.href,
    /** @param {LinkState} next */
    set(next) {
      state = next;
      for (const socket of sockets) {
        if (next === 'refusing') socket.destroy();
        else if (next === 'hanging') socket.pause();
        else socket.resume();
      }
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      link.close();
      await once(link, 'close');
    },
  };
}
