/** Errors of JSON-RPC hosts, through viem. Each answer echoes the key, which is also in the URL. */
import { describe, expect, it } from 'vitest';
import type { FailureType } from '../../../src/protocol/failure-types.js';
import { toProviderError } from '../../support/built-in-types.js';
import { KEY, viem, viemCall } from '../callers.js';
import { everyPrintOf } from '../prints.js';
import { expectOutcome, impatientClient, rpc, thrownBy } from './outcomes.js';

const http = impatientClient();

describe('an error from JSON-RPC through viem', () => {
  const rpcBody = (code: number, message: string, data?: string) => ({
    jsonrpc: '2.0',
    id: 1,
    error: { code, message: `${message} ${KEY}`, data },
  });
  it.each<[string, number, unknown, FailureType]>([
    ['an invalid key', 401, { error: KEY }, 'CredentialRejected'],
    ['an invalid key at Alchemy', 401, rpcBody(-32600, 'Must be authenticated!'), 'CredentialRejected'],
    ['an invalid key within a success', 200, rpcBody(-32600, 'Must be authenticated!'), 'CredentialRejected'],
    ['an invalid key at Infura', 401, rpcBody(-32600, 'project ID does not have access key'), 'CredentialRejected'],
    ['an invalid key, as a 403', 403, `forbidden ${KEY}`, 'CredentialRejected'],
    ['an inactive key', 200, rpcBody(-32000, 'API key is inactive'), 'CredentialRejected'],
    ['no authorization', 200, rpcBody(4100, 'no'), 'CredentialRejected'],
    ['no credit', 402, KEY, 'ProviderQuotaExhausted'],
    ['no capacity', 429, rpcBody(429, 'Monthly capacity limit exceeded.'), 'ProviderQuotaExhausted'],
    ['a rate limit', 429, KEY, 'ProviderRateLimited'],
    ['a rate limit within a success', 200, rpcBody(429, 'compute units'), 'ProviderRateLimited'],
    ['a rate limit at Infura', 200, rpcBody(-32005, 'too fast'), 'ProviderRateLimited'],
    ['a rate limit at QuickNode', 200, rpcBody(-32007, '50/second request limit reached'), 'ProviderRateLimited'],
    ['too many results', 200, rpcBody(-32005, 'query returned more than 10000 results'), 'ProviderRequestInvalid'],
    ['bad parameters', 200, rpcBody(-32602, 'invalid argument 0'), 'ProviderRequestInvalid'],
    ['an unknown method', 200, rpcBody(-32601, 'the method does not exist'), 'ProviderRequestInvalid'],
    ['a method that is not allowed', 403, rpcBody(-32601, 'not allowed'), 'ProviderRequestInvalid'],
    ['a bad request', 400, rpcBody(-32700, 'parse error'), 'ProviderRequestInvalid'],
    ['a node that is behind', 200, rpcBody(-32000, 'header not found'), 'ProviderUnavailable'],
    ['a node that fails', 200, rpcBody(-32603, 'internal error'), 'ProviderUnavailable'],
    ['a host that fails', 503, KEY, 'ProviderUnavailable'],
    ['an HTML page', 200, `<html>${KEY}</html>`, 'ProviderUnavailable'],
  ])('is mapped for %s (HTTP %i)', async (_what, status, body, type) => {
    const thrown = await thrownBy(
      viem,
      { status, headers: typeof body === 'string' ? { 'content-type': 'text/plain' } : {}, body },
      { fetch: http.current.fetch },
    );
    expect(everyPrintOf(thrown)).toContain(KEY); // the control: viem's error contains the key
    expectOutcome(toProviderError(thrown, rpc), type, rpc);
  });

  it.each<[string, object]>([
    ['as geth does', rpcBody(3, 'execution reverted: Unauthorized', '0x08c379a0')],
    ['with the words of a host', rpcBody(3, 'execution reverted: Monthly capacity limit exceeded')],
    ['as older nodes do', rpcBody(-32000, 'execution reverted')],
    ['as an internal error', rpcBody(-32603, 'execution reverted')],
  ])('is ProviderRequestInvalid for a revert that a node reports %s', async (_node, body) => {
    const thrown = await thrownBy(viemCall, { status: 200, body }, { fetch: http.current.fetch });
    const outcome = toProviderError(thrown, rpc);
    expectOutcome(outcome, 'ProviderRequestInvalid', rpc);
    expect(outcome?.message).toContain('reverted');
  });
});
