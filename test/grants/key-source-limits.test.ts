/** The address of a key set may be anybody's: what it answers takes no more memory and time than a key set does. */
import type { ServerResponse } from 'node:http';
import { brotliCompressSync, constants, deflateSync, gzipSync } from 'node:zlib';
import { expect, test, vi } from 'vitest';
import { KeySource } from '../../src/grants/key-source.js';
import { startTlsService } from '../egress/tls-service.js';

vi.mock('../../src/egress/http-client.js', async (original) => {
  const { createFetch, ...others } = await original<typeof import('../../src/egress/http-client.js')>();
  const { CERTIFICATE } = await import('../egress/tls-service.js');
  // The limits are those of the source; only the certificate is the test's.
  return { ...others, createFetch: (options: object) => createFetch({ ...options, connect: { ca: CERTIFICATE } }) };
});

const MIB = 1024 * 1024;
const BOMB = Buffer.alloc(128 * MIB, ' ');
const BROTLI = brotliCompressSync(BOMB, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } });
/** The limit is two seconds. */
const SOON_MS = 4_000;

const sourceOf = (url: string) => new KeySource(url, 'PROVIDER_GRANT_KEYS', (text) => text);

test('a key set of its usual size is read', async () => {
  const url = await startTlsService((_, response) => response.end('{"keys":[]}'));
  expect(await sourceOf(url).current()).toBe('{"keys":[]}');
});

test.each<[string, (response: ServerResponse) => void]>([
  ['with 128 MiB in a brotli bomb', (response) => response.writeHead(200, { 'content-encoding': 'br' }).end(BROTLI)],
  ['in a gzip bomb', (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(BOMB))],
  [
    'in a deflate bomb',
    (response) => response.writeHead(200, { 'content-encoding': 'deflate' }).end(deflateSync(BOMB)),
  ],
  ['with 2 MiB as they are', (response) => response.end(Buffer.alloc(2 * MIB, ' '))],
  ['in two encodings', (response) => response.writeHead(200, { 'content-encoding': 'br, br' }).end(BROTLI)],
  ['never', () => {}],
  [
    'with a byte now and then',
    (response) => {
      response.write('{');
      const drip = setInterval(() => response.write(' '), 100);
      response.on('close', () => clearInterval(drip));
    },
  ],
])('an address that answers %s does not answer with a key set, soon and in little memory [G23]', async (_, answer) => {
  const url = await startTlsService((_request, response) => answer(response));
  const [startMs, before] = [performance.now(), process.memoryUsage().rss];
  await expect(sourceOf(url).current()).rejects.toMatchObject({ type: 'KeyServiceUnavailable' });
  expect(performance.now() - startMs).toBeLessThan(SOON_MS);
  expect(process.memoryUsage().rss - before).toBeLessThan(100 * MIB);
});
