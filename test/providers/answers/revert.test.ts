/** Why an execution reverted, in the words and the data of the clients. */

import { describe, expect, it } from 'vitest';
import { revertIn } from '../../../src/providers/answers/revert.js';
import { toProviderError } from '../../support/built-in-types.js';
import { KEY, viem } from '../callers.js';
import { expectOutcome, impatientClient, rpc, thrownBy } from './outcomes.js';

const http = impatientClient();

const word = (value: number) => value.toString(16).padStart(64, '0');
const errorString = (text: string) => {
  const hex = Buffer.from(text).toString('hex');
  return `0x08c379a0${word(32)}${word(hex.length / 2)}${hex.padEnd(Math.ceil(hex.length / 64) * 64, '0')}`;
};
const NO = errorString('no');
const PANIC = `0x4e487b71${word(0x11)}`;
const CUSTOM = `0xcf479181${word(7)}`;

describe('a revert', () => {
  it.each<[string, number, string, unknown, object]>([
    ['geth, with data', 3, 'execution reverted: no', NO, { reason: 'no', data: NO }],
    ['geth, with a custom error', 3, 'execution reverted', CUSTOM, { data: CUSTOM }],
    ['an older geth, without data', -32000, 'execution reverted: sold out', undefined, { reason: 'sold out' }],
    ['Erigon', 3, 'execution reverted: no', NO, { reason: 'no', data: NO }],
    ['reth', 3, `execution reverted: custom error 0xcf479181: ${word(7)}`, CUSTOM, { data: CUSTOM }],
    [
      'anvil',
      3,
      'execution reverted: panic: arithmetic underflow or overflow (0x11)',
      PANIC,
      { reason: 'Panic(0x11): arithmetic overflow', data: PANIC },
    ],
    ['Nethermind, of before 1.30', -32015, 'VM execution error.', `Reverted ${NO}`, { reason: 'no', data: NO }],
    ['Nethermind', 3, 'execution reverted: no', NO, { reason: 'no', data: NO }],
    ['Besu', -32000, 'Execution reverted', NO, { reason: 'no', data: NO }],
    ['Besu, in words', -32000, 'Execution reverted (ERC20: too poor)', undefined, { reason: 'ERC20: too poor' }],
    [
      'Ganache',
      -32000,
      'VM Exception while processing transaction: revert no',
      { [`0x${word(1)}`]: { error: 'revert', return: NO, reason: 'no' } },
      { reason: 'no', data: NO },
    ],
    [
      'Hardhat',
      -32603,
      "Error: VM Exception while processing transaction: reverted with reason string 'it's no'",
      { data: errorString("it's no") },
      { reason: "it's no", data: errorString("it's no") },
    ],
    [
      'Hardhat, without data',
      -32603,
      "VM Exception while processing transaction: reverted with custom error 'Poor(7)'",
      undefined,
      { reason: 'Poor(7)' },
    ],
    [
      'Frontier',
      -32603,
      'VM Exception while processing transaction: revert SafeMath',
      undefined,
      { reason: 'SafeMath' },
    ],
    ['Filecoin', 11, 'message execution failed (exit=[33], revert reason=[Error(no)])', undefined, { reason: 'no' }],
    [
      'a host that passes on what its node said',
      -32603,
      'Internal error',
      { originalError: { code: 3, data: NO } },
      { reason: 'no', data: NO },
    ],
  ])('of %s has its reason and its data', async (_client, code, message, data, revert) => {
    const body = { jsonrpc: '2.0', id: 1, error: { code, message, data } };
    const outcome = toProviderError(await thrownBy(viem, { status: 200, body }, { fetch: http.current.fetch }), rpc);
    expectOutcome(outcome, 'ProviderRequestInvalid', rpc);
    expect(outcome?.facts.revert).toEqual(revert);
  });

  it('has no secret of this process in its reason or its data', async () => {
    for (const data of [errorString(`key ${KEY}`), undefined]) {
      const body = { jsonrpc: '2.0', id: 1, error: { code: 3, message: `execution reverted: ${KEY}`, data } };
      const outcome = toProviderError(await thrownBy(viem, { status: 200, body }, { fetch: http.current.fetch }), rpc);
      expectOutcome(outcome, 'ProviderRequestInvalid', rpc);
      expect(outcome?.facts.revert?.reason).toContain('[redacted]');
      expect(JSON.stringify(outcome?.facts)).not.toContain(Buffer.from(KEY).toString('hex'));
    }
  });

  it.each<[string, string, string, object | undefined]>([
    ['neither data nor words', '', 'execution reverted', undefined],
    ['empty data', '0x', 'execution reverted', undefined],
    ['words that say that there is no reason', '', 'Transaction reverted without a reason string', undefined],
    ['an unknown panic', `0x4e487b71${word(0x99)}`, '', { reason: 'Panic(0x99)', data: `0x4e487b71${word(0x99)}` }],
    [
      'a text that is longer than its data',
      `0x08c379a0${word(32)}${word(4_000)}`,
      '',
      { data: `0x08c379a0${word(32)}${word(4_000)}` },
    ],
    ['an offset that lies', `0x08c379a0${'f'.repeat(64)}`, '', { data: `0x08c379a0${'f'.repeat(64)}` }],
    ['control characters', errorString('a\u001b[2Jb'), '', { reason: 'a [2Jb', data: errorString('a\u001b[2Jb') }],
  ])('may have %s', (_what, data, message, expected) => {
    expect(revertIn({ data, message })).toEqual(expected);
  });

  it('is bounded, however much the contract says', () => {
    const revert = revertIn({ data: errorString('x'.repeat(100_000)), message: '' });
    expect(revert?.reason).toHaveLength(500);
    expect(revert?.data).toHaveLength(2 + 2 * 4 * 1024);
  });
});
