import { inspect } from 'node:util';
import { createPublicClient } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFetch, type HttpClient } from '../../../src/egress/http-client.js';
import { viemTransport } from '../../../src/providers/rpc/viem-transport.js';
import { LOOPBACK_POLICY } from '../../../testbed/loopback.js';
import { parseProvider } from '../../support/built-in-types.js';
import { type Answer, startService } from '../local-service.js';

let http: HttpClient;
beforeAll(() => {
  http = createFetch({ egress: LOOPBACK_POLICY });
});
afterAll(() => http.close());

async function clientFor(answer: Answer, headers?: Record<string, string>, userinfo = '') {
  const service = await startService(answer);
  const url = `${service.url.replace('http://', `http://${userinfo}`)}/v2/canary-key?token=canary-token`;
  const { credential, service: own } = parseProvider('rpc', 'mainnet', { chainId: 1 }, { url, headers });
  const transport = viemTransport(credential, own.adaptFetch(http.fetch));
  return { service, client: createPublicClient({ transport }) };
}

const ok: Answer = ({ body }) => {
  const { id } = JSON.parse(body) as { id: number };
  return { status: 200, body: { jsonrpc: '2.0', id, result: '0x10' } };
};

describe('the viem transport of a credential', () => {
  it('sends requests to its whole URL, with its headers', async () => {
    const { service, client } = await clientFor(ok, { authorization: 'Bearer canary-header' });
    expect(await client.getBlockNumber()).toBe(16n);
    expect(service.requests[0]).toMatchObject({
      method: 'POST',
      path: '/v2/canary-key?token=canary-token',
      headers: { authorization: 'Bearer canary-header', 'content-type': 'application/json' },
    });
  });

  it('sends the user and the password as a header', async () => {
    const { service, client } = await clientFor(ok, undefined, 'user:canary-password@');
    expect(await client.getBlockNumber()).toBe(16n);
    const basic = Buffer.from('user:canary-password').toString('base64');
    expect(service.requests[0]?.headers.authorization).toBe(`Basic ${basic}`);
  });

  it('is not printed with its client, and still works afterwards', async () => {
    const { client } = await clientFor(ok, { authorization: 'Bearer canary-header' }, 'user:canary-password@');
    const print = () => inspect(client, { depth: 20, showHidden: true }) + JSON.stringify(client.transport);
    expect(print()).not.toMatch(/canary|127\.0\.0\.1/);
    await client.getBlockNumber();
    expect(print()).not.toContain('canary');
  });

  it.each([403, 429, 500, 503])('does not retry a %i, because Temporal retries', async (status) => {
    const { service, client } = await clientFor(() => ({ status, body: {} }));
    await expect(client.getBlockNumber()).rejects.toThrow();
    expect(service.requests).toHaveLength(1);
  });
});
