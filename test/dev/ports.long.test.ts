import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { freePort, isListening, onFreePort, onPort } from '../../src/dev/ports.js';

const servers: Server[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((closed) => server.close(closed))));
});

async function occupy(port: number): Promise<void> {
  const server = createServer();
  servers.push(server);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
}

test('a free port that is taken before it is used is replaced by another', async () => {
  const ports: number[] = [];
  const result = await onFreePort(undefined, async (port) => {
    ports.push(port);
    if (ports.length > 1) return 'started';
    await occupy(port);
    throw new Error('address already in use');
  });
  expect(result).toBe('started');
  expect(new Set(ports).size).toBe(2);
});

test('any other failure is not retried', async () => {
  let attempts = 0;
  const start = async () => {
    attempts += 1;
    throw new Error('no such setting');
  };
  await expect(onFreePort(undefined, start)).rejects.toThrow('no such setting');
  expect(attempts).toBe(1);
});

test('a requested port that is in use is refused before anything starts', async () => {
  const port = await freePort();
  expect(await isListening(port)).toBe(false);
  await occupy(port);
  expect(await isListening(port)).toBe(true);
  let starts = 0;
  const start = async () => {
    starts += 1;
  };
  await expect(onFreePort(port, start)).rejects.toThrow(`port ${port} of 127.0.0.1 cannot be used: EADDRINUSE`);
  expect(starts).toBe(0);
});

test('a preferred port is used if it is free, and replaced if it is in use or is taken meanwhile', async () => {
  const preferred = await freePort();
  const used: number[] = [];
  expect(await onPort(undefined, preferred, async (port) => port)).toBe(preferred);
  const port = await onPort(undefined, preferred, async (each) => {
    used.push(each);
    if (used.length > 1) return each;
    await occupy(each);
    throw new Error('address already in use');
  });
  expect(used[0]).toBe(preferred);
  expect(port).not.toBe(preferred);
  expect(await onPort(undefined, preferred, async (each) => each)).not.toBe(preferred);
});
