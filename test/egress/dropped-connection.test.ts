/** What happens to a request whose connection is dropped before a byte of its answer came. */
import { createServer, type Server } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { onceMore } from '../../src/egress/dropped-connection.js';
import { createFetch } from '../../src/egress/http-client.js';
import { LOOPBACK_POLICY } from '../../testbed/loopback.js';

const ANSWER = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

/** Answers the requests in the order of their arrival: `drop` closes the connection, others are sent as they are. */
async function serviceThat(...answers: ('drop' | string)[]) {
  const seen: string[] = [];
  const server: Server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (request) => {
      seen.push(request.toString().split(' ')[0] ?? '');
      const answer = answers.shift() ?? ANSWER;
      if (answer === 'drop') socket.destroy();
      else socket.write(answer, () => answer !== ANSWER && socket.destroy());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const http = createFetch({ egress: LOOPBACK_POLICY });
  onTestFinished(async () => {
    await http.close();
    server.close();
  });
  const { port } = server.address() as { port: number };
  return { fetch: http.fetch, url: `http://127.0.0.1:${port}/`, seen };
}

const failure = { cause: { code: expect.stringMatching(/^(UND_ERR_SOCKET|ECONNRESET)$/) } };

describe('a request on a dropped connection', () => {
  it.each(['GET', 'HEAD', 'PUT', 'DELETE'])('is sent once more with the method %s', async (method) => {
    const { fetch, url, seen } = await serviceThat('drop', method === 'HEAD' ? ANSWER.slice(0, -2) : ANSWER);
    expect((await fetch(url, { method })).status).toBe(200);
    expect(seen).toEqual([method, method]);
  });

  it('is sent once more if the connection had been kept open', async () => {
    const { fetch, url, seen } = await serviceThat(ANSWER, 'drop');
    await (await fetch(url)).text();
    expect(await (await fetch(url)).text()).toBe('ok');
    expect(seen).toHaveLength(3);
  });

  it('is not sent more often than twice', async () => {
    const { fetch, url, seen } = await serviceThat('drop', 'drop', ANSWER);
    await expect(fetch(url)).rejects.toMatchObject(failure);
    expect(seen).toHaveLength(2);
  });

  it.each(['POST', 'PATCH'])(
    'is not repeated with the method %s, which may cost or change something',
    async (method) => {
      const { fetch, url, seen } = await serviceThat('drop');
      await expect(fetch(url, { method, body: 'x' })).rejects.toMatchObject(failure);
      expect(seen).toEqual([method]);
    },
  );

  it('is sent once more with POST if the caller says that it only reads', async () => {
    const { fetch, url, seen } = await serviceThat('drop');
    expect((await onceMore(fetch)(url, { method: 'POST', body: 'x' })).status).toBe(200);
    expect(seen).toEqual(['POST', 'POST']);
  });

  it('is not repeated if a part of the answer came', async () => {
    const { fetch, url, seen } = await serviceThat('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf');
    await expect(fetch(url).then((response) => response.text())).rejects.toThrow();
    expect(seen).toHaveLength(1);
  });

  it('is not repeated if the caller gave it up', async () => {
    const { fetch, url, seen } = await serviceThat('drop');
    const signal = AbortSignal.abort(new Error('given up'));
    await expect(fetch(url, { signal })).rejects.toThrow('given up');
    expect(seen).toEqual([]);
  });
});
