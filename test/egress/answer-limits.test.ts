/** What a hostile service may send: nothing of it takes more memory or time than the limits of the client. */
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createFetch, type FetchOptions } from '../../src/egress/http-client.js';
import { LOOPBACK_POLICY } from '../../testbed/loopback.js';
import { startRawService } from './raw-service.js';

const MIB = 1024 * 1024;

function client(options?: FetchOptions) {
  const http = createFetch({ egress: LOOPBACK_POLICY, maxResponseBytes: MIB, ...options });
  onTestFinished(() => http.close());
  return http;
}

/** The codes of an error and of its causes. */
function codesOf(error: unknown): unknown[] {
  return error instanceof Error ? [(error as { code?: unknown }).code, ...codesOf(error.cause)] : [];
}

const failureOf = (run: Promise<unknown>) => run.then(() => [], codesOf);

const ZEROS = Buffer.alloc(64 * MIB);
const BOMBS: readonly (readonly [encoding: string, bytes: Buffer])[] = [
  ['gzip', gzipSync(ZEROS)],
  ['x-gzip', gzipSync(ZEROS)],
  ['GZIP', gzipSync(ZEROS)],
  ['deflate', deflateSync(ZEROS)],
  ['deflate', deflateRawSync(ZEROS)],
  ['br', brotliCompressSync(ZEROS, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } })],
];

describe('a small answer that decodes to a large one', () => {
  const cases = BOMBS.flatMap(([encoding, bytes]) =>
    [200, 400, 500].flatMap((status) => [true, false].map((isChunked) => ({ encoding, bytes, status, isChunked }))),
  );
  it.each(cases)(
    'ends at the limit: $encoding, HTTP $status, chunked: $isChunked [G23]',
    async ({ encoding, bytes, status, isChunked }) => {
      const url = await startRawService((_, response) => {
        const length = isChunked ? {} : { 'content-length': bytes.length };
        response.writeHead(status, { 'content-encoding': encoding, ...length }).end(bytes);
      });
      expect(bytes.length, 'it is small on the wire').toBeLessThan(MIB);
      const response = await client().fetch(url);
      expect(await failureOf(response.text())).toContain('UND_ERR_RES_EXCEEDED_MAX_SIZE');
    },
  );

  it('ends at the limit however it is read: by json, arrayBuffer, blob, a clone or a reader [G23]', async () => {
    const url = await startRawService((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(BOMBS[0]?.[1]);
    });
    const { fetch } = client();
    const readers: readonly ((response: Response) => Promise<unknown>)[] = [
      (response) => response.json(),
      (response) => response.arrayBuffer(),
      (response) => response.blob(),
      (response) => response.clone().text(),
      async (response) => {
        for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) expect(chunk).toBeDefined();
      },
    ];
    for (const read of readers) {
      expect(await failureOf(fetch(url).then(read))).toContain('UND_ERR_RES_EXCEEDED_MAX_SIZE');
    }
  });

  it('is decoded whole if it is within the limit, and keeps its status, headers and URL', async () => {
    const text = 'x'.repeat(MIB);
    const url = await startRawService((_, response) => {
      response.writeHead(201, { 'content-encoding': 'br', 'x-id': '7' }).end(brotliCompressSync(text));
    });
    const response = await client().fetch(`${url}/path`);
    expect([response.status, response.headers.get('x-id'), response.url]).toEqual([201, '7', `${url}/path`]);
    expect((await response.text()).length).toBe(text.length);
  });
});

describe('an encoding that the client did not ask for', () => {
  it.each(['gzip, gzip', 'gzip,br', 'br, identity', 'zstd', 'compress', 'aes128gcm', ['gzip', 'gzip']])(
    'is refused before a byte is decoded: %j [G23]',
    async (encoding) => {
      const url = await startRawService((_, response) => {
        response.setHeader('content-encoding', encoding);
        response.end(gzipSync(gzipSync('{}')));
      });
      expect(await failureOf(client().fetch(url))).toContain('REFUSED_ENCODING');
    },
  );
});

describe('a slow answer', () => {
  const limits = { firstByteMs: 300, progressMs: 300 };
  const trickle = (every: (write: (text: string) => void) => void) =>
    startRawService((_, response) => {
      response.writeHead(200);
      const timer = setInterval(() => every((text) => response.write(text)), 20);
      response.on('close', () => clearInterval(timer));
    });

  it.each([
    ['a byte at a time', '1'],
    ['a space at a time, as keep-alives do', ' '],
    ['a few bytes at a time', '12345678'],
  ])('ends although something comes within each limit: %s [G23]', async (_, text) => {
    const url = await trickle((write) => write(text));
    const response = await client({ limits }).fetch(url);
    expect(await failureOf(response.text())).toContain('UND_ERR_BODY_TIMEOUT');
  });

  it('ends if its compressed bytes come slowly and decode to nothing [G23]', async () => {
    const bytes = gzipSync('x'.repeat(100));
    let at = 0;
    const url = await startRawService((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      const timer = setInterval(() => {
        response.write(bytes.subarray(at, at + 1));
        at += 1;
      }, 40);
      response.on('close', () => clearInterval(timer));
    });
    const response = await client({ limits }).fetch(url);
    expect(await failureOf(response.text())).toContain('UND_ERR_BODY_TIMEOUT');
  });

  it('ends before its first byte [G23]', async () => {
    const url = await startRawService(() => {});
    expect(await failureOf(client({ limits }).fetch(url))).toContain('UND_ERR_HEADERS_TIMEOUT');
  });

  it('goes on as long as it makes progress', async () => {
    let writes = 0;
    const url = await startRawService((_, response) => {
      response.writeHead(200);
      const timer = setInterval(() => {
        writes += 1;
        if (writes < 40) return response.write('x'.repeat(1024));
        clearInterval(timer);
        return response.end();
      }, 20);
    });
    const response = await client({ limits }).fetch(url);
    expect((await response.text()).length).toBe(39 * 1024);
  });

  it('has the limits that the caller asks for, on the same client', async () => {
    const url = await startRawService(() => {});
    const { within } = client();
    expect(await failureOf(within(limits)(url))).toContain('UND_ERR_HEADERS_TIMEOUT');
  });
});
