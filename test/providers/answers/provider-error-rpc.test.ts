/** What JSON-RPC hosts answer, through viem. Each answer echoes the key, and the key stands in the URL. */
import { describe, expect, it } from 'vitest';
import type { FailureType } from '../../../src/protocol/failure-types.js';
import { toProviderError } from '../../../src/providers/answers/provider-error.js';
import { KEY, viem, viemCall } from '../callers.js';
import { everyPrintOf } from '../prints.js';
import { expectOutcome, impatientClient, rpc, thrownBy } from './outcomes.js';

const http = impatientClient();

describe('JSON-RPC through viem', () => {
  const rpcBody = (code: number, message: string, data?: string) => ({
    jsonrpc: '2.0',
    id: 1,
    error: { code, message: `${message} ${KEY}`, data },
  });
  it.each<[string, number, unknown, FailureType]>([
    ['a dead key', 401, { error: KEY }, 'CredentialRejected'],
    ['a dead key at Alchemy', 401, rpcBody(-32600, 'Must be authenticated!'), 'CredentialRejected'],
    ['a dead key within a success', 200, rpcBody(-32600, 'Must be authenticated!'), 'CredentialRejected'],
    ['a dead key at Infura', 401, rpcBody(-32600, 'project ID does not have access key'), 'CredentialRejected'],
    ['a dead key, where 403 says so', 403, `forbidden ${KEY}`, 'CredentialRejected'],
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
    ['a page that is no API', 200, `<html>${KEY}</html>`, 'ProviderUnavailable'],
  ])('says %s (%i)', async (_what, status, body, type) => {
    const thrown = await thrownBy(
      viem,
      { status, headers: typeof body === 'string' ? { 'content-type': 'text/plain' } : {}, body },
      { fetch: http.current.fetch },
    );
    expect(everyPrintOf(thrown)).toContain(KEY); // the control: what viem throws does hold the key
    expectOutcome(toProviderError(thrown, rpc), type, rpc);
  });

  it.each<[string, object]>([
    ['geth', rpcBody(3, 'execution reverted: Unauthorized', '0x08c379a0')],
    ['a contract that plays the host', rpcBody(3, 'execution reverted: Monthly capacity limit exceeded')],
    ['older nodes', rpcBody(-32000, 'execution reverted')],
    ['a node that calls it internal', rpcBody(-32603, 'execution reverted')],
  ])('takes a revert for the fault of the request, however %s says it and viem wraps it', async (_node, body) => {
    const thrown = await thrownBy(viemCall, { status: 200, body }, { fetch: http.current.fetch });
    const outcome = toProviderError(thrown, rpc);
    expectOutcome(outcome, 'ProviderRequestInvalid', rpc);
    expect(outcome?.message).toContain('reverted');
  });
});
