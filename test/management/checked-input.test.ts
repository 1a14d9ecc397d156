import { expect, it } from 'vitest';
import { PUBLIC_EGRESS } from '../../src/egress/policy.js';
import { checkUnknownInput } from '../../src/management/checked-input.js';
import { ProviderTypes } from '../../src/providers/provider-types.js';

const CANARY = 'canary-key-1234567890';
const RULES = { egress: PUBLIC_EGRESS, types: ProviderTypes.builtIn };
const valid = { workspaceId: 'ws_acme', type: 'llm', name: 'anthropic', secret: { apiKey: CANARY } };

it('a provider that fits is returned with its identity and its parsed fields', () => {
  const checked = checkUnknownInput({ ...valid, config: { baseURL: 'https://models.example/' } }, RULES);
  expect(checked).toMatchObject({
    identity: { workspaceId: 'ws_acme', type: 'llm', name: 'anthropic' },
    parsed: { config: { baseURL: 'https://models.example' }, secret: { apiKey: CANARY } },
  });
});

it.each([
  ['no object', CANARY, []],
  ['null', null, []],
  ['a list', [valid], []],
  ['an unknown field', { ...valid, [CANARY]: 1 }, []],
  ['what `list --json` prints', { ...valid, secret: { apiKey: '…a1b2' }, status: 'active' }, ['secret.apiKey']],
  ['no workspace', { ...valid, workspaceId: undefined }, ['workspaceId']],
  ['a key in the name', { ...valid, name: `${CANARY}!` }, ['name']],
  ['a number as the name', { ...valid, name: 7 }, ['name']],
  ['an unknown type', { ...valid, type: 'smtp' }, ['type']],
  ['a type that every object has', { ...valid, type: 'constructor' }, ['type']],
  ['no secret', { ...valid, secret: undefined }, ['secret']],
  ['a secret as text', { ...valid, secret: CANARY }, ['secret']],
  ['config as text', { ...valid, config: CANARY }, ['config']],
  ['a private address', { ...valid, config: { baseURL: `https://10.0.0.1/${CANARY}` } }, ['config.baseURL']],
  [
    'several problems',
    { type: 'rpc', name: 'Main', workspaceId: `${CANARY} x`, secret: { url: CANARY } },
    ['workspaceId', 'name'],
  ],
  [
    'several problems of its fields',
    { ...valid, workspaceId: '', type: 'rpc', config: { chainId: CANARY }, secret: { url: CANARY } },
    ['workspaceId', 'config.chainId', 'secret.url'],
  ],
])('%s is reported with every field that does not fit, and without a value', (_what, value, fields) => {
  const problem = checkUnknownInput(value, RULES);
  expect(problem).toEqual({ fields, message: expect.stringMatching(/must|has|leads/) });
  expect(JSON.stringify(problem)).not.toContain('canary');
});
