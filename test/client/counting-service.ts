/** An OpenAI-compatible service that counts its concurrent requests. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface CountingService {
  readonly baseURL: string;
  readonly calls: number;
  readonly mostAtOnce: number;
  admit(key: string): void;
  stop(): Promise<void>;
}

/** Long enough for several requests to overlap. */
const ANSWER_AFTER_MS = 5;

export async function countingService(): Promise<CountingService> {
  const admitted = new Set<string>();
  let [calls, asking, mostAtOnce] = [0, 0, 0];
  const server = createServer((request, response) => {
    // Counts only requests with a key. The check also sends one without a key, to see if keys are checked at all.
    if (request.headers.authorization) calls += 1;
    asking += 1;
    mostAtOnce = Math.max(mostAtOnce, asking);
    setTimeout(() => {
      asking -= 1;
      const key = request.headers.authorization?.replace('Bearer ', '') ?? '';
      response.statusCode = admitted.has(key) ? 200 : 401;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ object: 'list', data: [] }));
    }, ANSWER_AFTER_MS);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    baseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    get calls() {
      return calls;
    },
    get mostAtOnce() {
      return mostAtOnce;
    },
    admit: (key) => void admitted.add(key),
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
