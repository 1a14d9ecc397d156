/**
 * What JSON-RPC nodes and their hosts answer, as public reports show it, over HTTP through viem. A row per answer: who,
 * HTTP status, body, and the failure that it must become; `next`, if the next endpoint of the chain is asked.
 */
import { describe, expect, it } from 'vitest';
import type { FailureType } from '../../../src/protocol/failure-types.js';
import { isPassedOver } from '../../../src/resolver/chain-endpoints.js';
import { toProviderError } from '../../support/built-in-types.js';
import { viem, viemCall } from '../callers.js';
import { expectOutcome, impatientClient, rpc, thrownBy } from './outcomes.js';

const http = impatientClient();

type Row = [
  who: string,
  status: number,
  body: unknown,
  type: FailureType,
  then: 'next' | 'ends',
  more?: { headers?: Record<string, string>; waitMs?: number },
];

const failed = (code: unknown, message: string, data?: unknown) => ({
  jsonrpc: '2.0',
  id: 1,
  error: { code, message, data },
});
const TEXT = { headers: { 'content-type': 'text/plain' } };

const KINDS: Readonly<Record<string, readonly Row[]>> = {
  'A: a success without an answer': [
    ['a gateway', 200, { message: 'Unauthorized' }, 'ProviderUnavailable', 'next'],
    ['a gateway', 200, {}, 'ProviderUnavailable', 'next'],
    ['a node', 200, { jsonrpc: '2.0', id: 1 }, 'ProviderUnavailable', 'next'],
    ['a gateway', 200, '', 'ProviderUnavailable', 'next', TEXT],
    ['a gateway', 200, '', 'ProviderUnavailable', 'next'],
    ['a gateway', 200, 'null', 'ProviderUnavailable', 'next'],
    ['a gateway', 200, '"0x1"', 'ProviderUnavailable', 'next'],
    ['a gateway', 200, [], 'ProviderUnavailable', 'next'],
    ['a gateway', 200, { success: false, result: '0x1' }, 'ProviderUnavailable', 'next'],
    ['a gateway, with an HTTP status as the code', 200, failed(503, 'x'), 'ProviderUnavailable', 'next'],
    ['a gateway, with an HTTP status as the code', 200, failed(402, 'x'), 'ProviderQuotaExhausted', 'next'],
    ['a gateway, with an HTTP status as the code', 200, failed(401, 'x'), 'CredentialRejected', 'ends'],
  ],
  'C: out of credit': [
    [
      'Alchemy',
      429,
      failed(429, 'Monthly capacity limit exceeded. Visit …/settings/billing'),
      'ProviderQuotaExhausted',
      'next',
    ],
    [
      'Infura',
      200,
      failed(-32005, 'daily request count exceeded, request rate limited'),
      'ProviderQuotaExhausted',
      'next',
    ],
    ['Chainstack', 403, { error: 'You have exceeded your monthly quota.' }, 'ProviderQuotaExhausted', 'next'],
    [
      'a node, about the caller of a contract',
      200,
      failed(-32000, 'insufficient funds for gas * price + value'),
      'ProviderRequestInvalid',
      'ends',
    ],
  ],
  'E: a living key': [
    [
      'a firewall',
      403,
      '<html>',
      'ProviderUnavailable',
      'next',
      { headers: { 'content-type': 'text/html', 'cf-mitigated': 'challenge' } },
    ],
    [
      'Akamai',
      403,
      '<html>',
      'ProviderUnavailable',
      'next',
      { headers: { 'content-type': 'text/html', server: 'AkamaiGHost' } },
    ],
    [
      'Infura, by plan',
      403,
      failed(-32002, 'Archive, Debug and Trace APIs are not available on your current plan.'),
      'ProviderRequestInvalid',
      'next',
    ],
    [
      'Alchemy, by plan',
      400,
      failed(-32600, 'trace_block is not available on the Free tier - upgrade to Pay As You Go'),
      'ProviderRequestInvalid',
      'next',
    ],
    [
      'Ankr, by plan',
      403,
      failed(-32052, 'API key is not allowed to access blockchain, json-rpc method'),
      'ProviderRequestInvalid',
      'next',
    ],
    [
      'Goldsky, whose code is that of a rate limit elsewhere',
      200,
      failed(-32016, 'Unauthorized'),
      'CredentialRejected',
      'ends',
    ],
    ['a host without words', 403, '', 'CredentialRejected', 'ends', TEXT],
    ['a host that names the key', 403, { message: 'invalid API key' }, 'CredentialRejected', 'ends'],
  ],
  'F: a rate limit in another code': [
    ['Reown', 200, failed(-32029, 'Too many requests'), 'ProviderRateLimited', 'next'],
    ['Base', 200, failed(-32016, 'over rate limit'), 'ProviderRateLimited', 'next'],
    ['proxyd', 200, failed(-32013, 'backend is over capacity'), 'ProviderRateLimited', 'next'],
    [
      'BSC',
      200,
      failed(-32090, 'Too many requests, reason: call rate limit exhausted, retry in 10s'),
      'ProviderRateLimited',
      'next',
      { waitMs: 10_000 },
    ],
    [
      'a host with a code of its own',
      200,
      failed(-32097, 'request limit reached: 20/second'),
      'ProviderRateLimited',
      'next',
    ],
    [
      'a host with the code of an internal error',
      200,
      failed(-32603, 'you are being throttled'),
      'ProviderRateLimited',
      'next',
    ],
    [
      'Infura',
      200,
      failed(-32005, 'project ID request rate exceeded', { rate: { backoff_seconds: 30 } }),
      'ProviderRateLimited',
      'next',
      { waitMs: 30_000 },
    ],
    [
      'Alchemy, with advice',
      429,
      failed(429, 'exceeded its compute units per second capacity: upgrade your plan'),
      'ProviderRateLimited',
      'next',
    ],
  ],
  'G: what one endpoint lacks': [
    [
      'a host without proofs',
      200,
      failed(-32601, 'the method eth_getProof does not exist/is not available'),
      'ProviderRequestInvalid',
      'next',
    ],
    ['Sonic', 200, failed(-32000, 'state does not maintain archive data'), 'ProviderRequestInvalid', 'next'],
    [
      'geth',
      200,
      failed(-32000, 'required historical state unavailable (reexec=128)'),
      'ProviderRequestInvalid',
      'next',
    ],
    ['reth', 200, failed(4444, 'pruned history unavailable'), 'ProviderRequestInvalid', 'next'],
    ['Nethermind', 200, failed(-32000, 'No state available for block 0x1'), 'ProviderRequestInvalid', 'next'],
    ['Besu', 200, failed(-32604, 'Method not enabled'), 'ProviderRequestInvalid', 'next'],
    [
      'Alchemy',
      400,
      failed(-32600, 'Unsupported method: eth_getProof on ETH_MAINNET'),
      'ProviderRequestInvalid',
      'next',
    ],
    ['a gateway', 404, failed(-32601, 'rpc method is not whitelisted'), 'ProviderRequestInvalid', 'next'],
    ['geth, about a block that it has not', 200, failed(-32000, 'header not found'), 'ProviderUnavailable', 'next'],
    [
      'dRPC',
      408,
      failed(30, 'Request timeout on the free tier, please upgrade your tier to the paid one'),
      'ProviderUnavailable',
      'next',
    ],
    [
      'a node, about parameters',
      200,
      failed(-32602, 'invalid argument 0: hex string without 0x prefix'),
      'ProviderRequestInvalid',
      'ends',
    ],
    ['Goldsky, about a range of logs', 200, failed(-32012, 'Range too large'), 'ProviderRequestInvalid', 'ends'],
    [
      'a node, about a range of logs',
      200,
      failed(-32005, 'query returned more than 10000 results'),
      'ProviderRequestInvalid',
      'ends',
    ],
  ],
  'H: the status counts, whatever the body is': [
    ['a host', 401, '', 'CredentialRejected', 'ends'],
    ['a host', 401, '', 'CredentialRejected', 'ends', TEXT],
    ['a host', 402, '', 'ProviderQuotaExhausted', 'next'],
    ['a host', 403, '', 'CredentialRejected', 'ends'],
    ['a host', 429, '{"cut', 'ProviderRateLimited', 'next'],
    ['a host', 503, '<html>', 'ProviderUnavailable', 'next'],
    [
      'a host that holds a result beside it',
      500,
      { jsonrpc: '2.0', id: 1, result: '0x1' },
      'ProviderUnavailable',
      'next',
    ],
  ],
  'I: an error of another shape': [
    ['an electrum server', 200, { jsonrpc: '2.0', id: 1, error: 'busy' }, 'ProviderUnavailable', 'next'],
    ['a host', 200, { jsonrpc: '2.0', id: 1, error: { message: 'busy' } }, 'ProviderUnavailable', 'next'],
    ['a host', 200, { jsonrpc: '2.0', id: 1, error: ['busy'] }, 'ProviderUnavailable', 'next'],
    ['a host, in words', 200, { jsonrpc: '2.0', id: 1, error: 'rate limit exceeded' }, 'ProviderRateLimited', 'next'],
    [
      'a host, with a code as a text',
      200,
      failed('-32601', 'the method does not exist'),
      'ProviderRequestInvalid',
      'next',
    ],
    ['a host, in a list', 200, [failed(-32005, 'slow')], 'ProviderRateLimited', 'next'],
  ],
};

describe.each(Object.entries(KINDS))('%s', (_kind, rows) => {
  it.each(rows.map((row) => [row[0], row[1], row[3], row[4], row] as const))(
    'of %s, with HTTP %i, is %s, and the chain goes on: %s',
    async (_who, _status, _type, _then, [, status, body, type, then, { headers, waitMs } = {}]) => {
      const thrown = await thrownBy(viem, { status, headers, body }, { fetch: http.current.fetch });
      const outcome = toProviderError(thrown, rpc);
      expectOutcome(outcome, type, rpc);
      expect(outcome && isPassedOver(outcome)).toBe(then === 'next');
      if (waitMs !== undefined) expect(outcome?.facts.retryAfterMs).toBe(waitMs);
    },
  );
});

describe('J: a revert', () => {
  const REASON = `0x08c379a0${'0'.repeat(62)}20${'0'.repeat(63)}1${'41'.padEnd(64, '0')}`;
  it.each<[string, unknown, string, unknown]>([
    ['geth', 3, 'execution reverted: no', REASON],
    ['an older geth', -32000, 'execution reverted', undefined],
    ['Frontier', -32603, 'VM Exception while processing transaction: revert SafeMath', REASON],
    [
      'Hardhat',
      -32603,
      "Error: VM Exception while processing transaction: reverted with reason string 'no'",
      undefined,
    ],
    ['Hardhat, without a reason', -32603, 'Error: Transaction reverted without a reason string', undefined],
    ['Parity, Nethermind', -32015, 'VM execution error.', `Reverted ${REASON}`],
    ['Besu', -32000, 'Execution reverted', REASON],
    ['a node with a custom error, without words', -32603, 'Internal error', '0xcf479181'],
    ['a panic, in the data of the data', -32603, 'Internal error', { data: `0x4e487b71${'0'.repeat(62)}11` }],
    ['Filecoin', 11, 'message execution failed (exit=[33], revert reason=[Error(no)])', undefined],
    [
      'a host that passes on what its node said',
      -32603,
      'Internal JSON-RPC error.',
      { code: -32000, message: 'execution reverted: no' },
    ],
    ['Hedera', -32008, 'CONTRACT_REVERT_EXECUTED', undefined],
    ['a contract that speaks of limits', 3, 'execution reverted: rate limit, method not found, try again', undefined],
  ])('is one in the words of %s', async (_client, code, message, data) => {
    const thrown = await thrownBy(
      viemCall,
      { status: 200, body: failed(code, message, data) },
      { fetch: http.current.fetch },
    );
    const outcome = toProviderError(thrown, rpc);
    expectOutcome(outcome, 'ProviderRequestInvalid', rpc);
    expect(outcome?.message).toContain('reports that the execution reverted');
    expect(outcome && isPassedOver(outcome)).toBe(false);
  });

  it.each<[string, number, string, unknown]>([
    ['an internal error without data', -32603, 'Internal error', undefined],
    ['an internal error with empty data', -32603, 'Internal error', '0x'],
    ['an internal error with words as data', -32603, 'Internal error', 'database is locked'],
  ])('is not %s', async (_what, code, message, data) => {
    const thrown = await thrownBy(
      viemCall,
      { status: 200, body: failed(code, message, data) },
      { fetch: http.current.fetch },
    );
    expectOutcome(toProviderError(thrown, rpc), 'ProviderUnavailable', rpc);
  });
});
