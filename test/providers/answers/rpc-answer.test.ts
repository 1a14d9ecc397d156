import { createClient } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFetch, type HttpClient } from '../../../src/egress/http-client.js';
import { viemTransport } from '../../../src/providers/rpc/viem-transport.js';
import { LOOPBACK_POLICY } from '../../../testbed/loopback.js';
import { parseProvider } from '../../support/built-in-types.js';
import { type ServiceReply, startService } from '../local-service.js';

let http: HttpClient;
beforeAll(() => {
  http = createFetch({ egress: LOOPBACK_POLICY });
});
afterAll(() => http.close());

async function resultOf(body: unknown, headers: ServiceReply['headers'] = {}): Promise<unknown> {
  const service = await startService({ status: 200, headers, body });
  const { credential } = parseProvider('rpc', 'mainnet', { chainId: 1 }, { url: service.url });
  const client = createClient({ transport: viemTransport(credential, http.fetch) });
  return client.request({ method: 'eth_blockNumber' });
}

describe('a result', () => {
  it.each<[string, unknown]>([
    ['null', null],
    ['false', false],
    ['zero', 0],
    ['an empty text', ''],
    ['an empty list', []],
  ])('may be %s', async (_what, result) => {
    expect(await resultOf({ jsonrpc: '2.0', id: 1, result })).toEqual(result);
  });

  it.each<[string, unknown, ServiceReply['headers']]>([
    ['with an error that is null, as in JSON-RPC 1.0', { id: 1, error: null, result: '0x1' }, {}],
    ['labelled as a text', { jsonrpc: '2.0', id: 1, result: '0x1' }, { 'content-type': 'text/plain' }],
    ['without a version', { id: 'one', result: '0x1' }, {}],
    ['in a list of one', [{ jsonrpc: '2.0', id: 1, result: '0x1' }], {}],
    ['after white space', '\n {"jsonrpc":"2.0","id":1,"result":"0x1"}\n', {}],
  ])('is read %s', async (_how, body, headers) => {
    expect(await resultOf(body, headers)).toBe('0x1');
  });

  it('may be larger than what viem accepts by itself', async () => {
    const result = 'x'.repeat(11 * 1024 * 1024);
    expect(await resultOf({ jsonrpc: '2.0', id: 1, result })).toHaveLength(result.length);
  });
});
