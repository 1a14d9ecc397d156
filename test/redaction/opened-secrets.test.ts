/** The secrets that a process knows and redacts, by the way in which it received them. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Settings } from '../../src/config/settings.js';
import { readTemporalConfig } from '../../src/config/temporal-config.js';
import { redact, rememberSecretFields } from '../../src/redaction/opened-secrets.js';
import { parseLocalKeyring } from '../../src/sealing/local-keyring.js';
import { checkDatabaseUrl } from '../../src/store/connection-options.js';
import { parseProvider } from '../support/built-in-types.js';

const rootKey = randomBytes(32);

const WAYS: readonly [what: string, open: () => unknown, secrets: readonly string[]][] = [
  ['an LLM key', () => parseProvider('llm', 'anthropic', {}, { apiKey: 'canary-llm-api-key' }), ['canary-llm-api-key']],
  [
    'a secret URL, its userinfo, and secret headers',
    () =>
      parseProvider(
        'rpc',
        'main',
        { chainId: 1 },
        {
          url: 'https://canary-login-of-rpc:canary%2Fpassword@rpc.example/v2/canary-key-in-a-path',
          headers: { 'x-token': 'canary-header', authorization: 'Bearer canary-bearer-token' },
        },
      ),
    [
      'canary-login-of-rpc',
      'canary/password',
      'canary%2Fpassword',
      'canary-key-in-a-path',
      'canary-header',
      'canary-bearer-token',
      'https://rpc.example/v2/canary-key-in-a-path',
    ],
  ],
  [
    "Tenderly's keys",
    () =>
      parseProvider(
        'tenderly',
        'default',
        { account: 'acme', project: 'main' },
        {
          accessKey: 'canary-tenderly-key',
          nodeAccessKey: 'canary-tenderly-node',
        },
      ),
    ['canary-tenderly-key', 'canary-tenderly-node'],
  ],
  [
    'secret fields that are sealed or opened for a rotation',
    () => rememberSecretFields('ws_acme', { apiKey: 'canary-staged', headers: { 'x-token': 'canary-staged-header' } }),
    ['canary-staged', 'canary-staged-header'],
  ],
  [
    'a root key',
    () => parseLocalKeyring(`first:${rootKey.toString('base64')}`),
    [rootKey.toString('base64'), rootKey.toString('base64url'), rootKey.toString('hex')],
  ],
  ["a database's password", () => checkDatabaseUrl('postgres://login:canary%3Adb@db/x'), ['canary:db', 'canary%3Adb']],
  [
    "Temporal's API key",
    () => readTemporalConfig(new Settings({ TEMPORAL_API_KEY: 'canary-temporal-api-key' })),
    ['canary-temporal-api-key'],
  ],
];

describe('a process redacts what it has opened [G7]', () => {
  it.each(WAYS)('%s', (_, open, secrets) => {
    for (const secret of secrets) expect(redact(`<${secret}>`)).toBe(`<${secret}>`);
    open();
    for (const secret of secrets) expect(redact(`<${secret}>`)).toBe('<[redacted]>');
  });

  it('but not a public contract address, even if a workspace stores it as its key', () => {
    const address = '0xa1b2c3d4e5f60718293a4b5c6d7e8f9011121314';
    parseProvider('llm', 'anthropic', {}, { apiKey: address });
    expect(redact(address)).toBe(address);
  });
});
