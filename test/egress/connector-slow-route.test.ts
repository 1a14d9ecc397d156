/** A name with two addresses: one route is slow, the other leads nowhere. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createFetch } from '../../src/egress/http-client.js';
import { EgressPolicy } from '../../src/egress/policy.js';

/**
 * A server that answers, with a queue for one connection. While it is stopped and the queue is full, the kernel drops
 * the first packet of a handshake; the next one is sent after a second.
 */
const SERVER = `
  const server = require('node:http').createServer((request, response) => response.end('ok'));
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(server.address().port));
`;

async function slowServer(): Promise<{ port: number; process: ChildProcess }> {
  const child = spawn(process.execPath, ['-e', SERVER], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(line.toString());
  child.kill('SIGSTOP');
  let connected = 0;
  const sockets = Array.from({ length: 6 }, () =>
    connect({ port, host: '127.0.0.1' })
      .on('connect', () => (connected += 1))
      .on('error', () => {}),
  );
  onTestFinished(() => sockets.forEach((socket) => void socket.destroy()));
  // Two of them fill the queue.
  await vi.waitFor(() => expect(connected).toBe(2));
  return { port, process: child };
}

it.each([
  ['IPv6 second', ['127.0.0.1', '::1']],
  ['IPv6 first', ['::1', '127.0.0.1']],
  ['several of each', ['127.0.0.1', '::1', '127.0.0.2']],
])(
  'a route whose handshake takes more than a second is not given up for those that lead nowhere: %s',
  async (_order, addresses) => {
    const { port, process: server } = await slowServer();
    const lookUp = async () => addresses;
    const http = createFetch({ egress: new EgressPolicy({ lookUp, networks: ['loopback'], ports: 'any' }) });
    onTestFinished(() => http.close());
    const startedAt = performance.now();
    const answered = http.fetch(`http://localhost:${port}/`).then((response) => response.text());
    await Promise.race([answered.catch(() => {}), delay(600)]);
    server.kill('SIGCONT');
    expect(await answered).toBe('ok');
    // Otherwise the handshake was not slow, and the test shows nothing.
    expect(performance.now() - startedAt).toBeGreaterThan(600);
  },
);
