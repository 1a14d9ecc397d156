/** A service that lists its models for accepted keys, and that a test can make unavailable. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ModelsService {
  /** The `baseURL` for an OpenAI-compatible provider. */
  readonly baseURL: string;
  /** The number of calls with that key. */
  callsWith(key: string): number;
  /** Answers 503 from now on. */
  goAway(): void;
  stop(): Promise<void>;
}

export async function startModelsService(...acceptedKeys: readonly string[]): Promise<ModelsService> {
  const keys: string[] = [];
  let away = false;
  const server = createServer((request, response) => {
    const key = (request.headers.authorization ?? '').replace('Bearer ', '');
    keys.push(key);
    const status = away ? 503 : acceptedKeys.includes(key) ? 200 : 401;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(status === 200 ? { object: 'list', data: [] } : { error: { message: `no: ${key}` } }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    baseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    callsWith: (key) => keys.filter((each) => each === key).length,
    goAway: () => {
      away = true;
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
