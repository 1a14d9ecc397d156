/** Free ports on loopback. Another process may take a port before it is used, so the caller must try another one. */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { PartUnavailable } from './processes.js';

const ATTEMPTS = 5;

/**
 * Below the ports that systems use for outgoing connections (Linux from 32768, macOS from 49152). Otherwise a server
 * that restarts on its port might find it taken by such a connection.
 */
const SERVER_PORTS = { from: 20_000, to: 32_000 } as const;

/**
 * Runs `start` on a free port, and again on another one if the port was taken meanwhile.
 *
 * @param wanted - the only port to use. Default: 0, which is any free port.
 * @throws PartUnavailable if the wanted port is taken; otherwise what the last attempt threw
 */
export async function onFreePort<T>(wanted: number | undefined, start: (port: number) => Promise<T>): Promise<T> {
  if (wanted) return start(await freePort(wanted));
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    try {
      return await start(port);
    } catch (error) {
      const taken = (await freePort(port).catch(() => undefined)) === undefined;
      if (!taken || attempt === ATTEMPTS) throw error;
    }
  }
}

/**
 * Runs `start` on the only port that may be used, if there is one. Otherwise on the preferred one if it is free, or on
 * another one.
 *
 * @param wanted - the only port to use. Default: any port.
 * @param preferred - default: any free port
 * @throws PartUnavailable if the wanted port is taken; otherwise what the last attempt threw
 */
export async function onPort<T>(
  wanted: number | undefined,
  preferred: number | undefined,
  start: (port: number) => Promise<T>,
): Promise<T> {
  if (wanted || !preferred || !(await isFree(preferred))) return onFreePort(wanted, start);
  try {
    return await start(preferred);
  } catch (error) {
    if (await isFree(preferred)) throw error;
    return onFreePort(undefined, start);
  }
}

/** A server that listens on all addresses does not stop macOS from giving its port away on one of them. */
async function isFree(port: number): Promise<boolean> {
  if (await isListening(port)) return false;
  return freePort(port).then(
    () => true,
    () => false,
  );
}

/** @throws PartUnavailable if `wanted` is taken */
export async function freePort(wanted = 0): Promise<number> {
  if (wanted) return tryPort(wanted);
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const port = await tryPort(randomInt(SERVER_PORTS.from, SERVER_PORTS.to)).catch(() => undefined);
    if (port !== undefined) return port;
  }
  return tryPort(0);
}

async function tryPort(wanted: number): Promise<number> {
  const server = createServer();
  try {
    server.listen(wanted, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new PartUnavailable('the system gave no port');
    return address.port;
  } catch (error) {
    if (error instanceof PartUnavailable) throw error;
    throw new PartUnavailable(
      `port ${wanted} of 127.0.0.1 cannot be used: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`,
    );
  } finally {
    server.close();
  }
}

/** Whether a server listens on the port. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
