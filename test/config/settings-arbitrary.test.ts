/**
 * Mistyped settings: an invalid one is named, and no part of a secret appears, neither in the error message nor in what
 * is printed at the start.
 */
import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { providerNotes } from '../../src/config/resolver-config.js';
import { SETTINGS, type SettingName } from '../../src/config/settings-table.js';
import { describeWorkerConfig, workerConfigFromEnv } from '../../src/config/worker-config.js';
import { isProviderError, type ProviderError } from '../../src/protocol/errors.js';
import { TEST_ENCRYPTION_KEY } from '../support/fake-store.js';

const CANARY = 'canary-setting-5eed';
const ENV = {
  DATABASE_URL: 'postgres://worker@db.example/agents',
  ENCRYPTION_KEY: TEST_ENCRYPTION_KEY,
  PROVIDER_GRANT_KEYS: '/run/secrets/grant-keys.json',
};

const NAMES = Object.keys(SETTINGS);
const TEMPORAL_NAMES = [
  'TEMPORAL_ADDRESS',
  'TEMPORAL_API_KEY',
  'TEMPORAL_CONFIG_FILE',
  'TEMPORAL_NAMESPACE',
  'TEMPORAL_PROFILE',
  'TEMPORAL_TLS',
  'TEMPORAL_TLS_CLIENT_CERT_DATA',
  'TEMPORAL_TLS_CLIENT_KEY_DATA',
  'TEMPORAL_TLS_SERVER_CA_CERT_PATH',
];

const piece = fc.oneof(
  fc.constantFrom(...':/,=@.?#%-+ '),
  fc.constantFrom('postgres://', 'https://', 'mailto:', 'password=', 'key-1:', 'llm/', 'rpc/chain-1', 'loopback'),
  fc.constantFrom('10.0.0.0/8', '::/0', '443', 'any', 'off', 'true', 'ms', '1', '999999999', TEST_ENCRYPTION_KEY),
  fc.string({ maxLength: 4 }),
);
const pieces = fc.array(piece, { maxLength: 3 }).map((parts) => parts.join(''));

/** Close enough to valid values to get past the first checks of a parser. */
const nearly = fc.tuple(pieces, fc.constantFrom(CANARY, ''), pieces).map((parts) => parts.join(''));

const text = fc.oneof(nearly, fc.string({ unit: 'binary' }), fc.string({ minLength: 200, maxLength: 2_000 }));

/** The description of the config, or the error that refuses it. */
function outcomeOf(env: NodeJS.ProcessEnv): { readonly shown: string; readonly refusal?: ProviderError } {
  try {
    const config = workerConfigFromEnv(env);
    return { shown: JSON.stringify([describeWorkerConfig(config), providerNotes(config.providers)]) };
  } catch (error) {
    if (!isProviderError(error, 'SetupInvalid')) throw error;
    return { shown: `${error.message}\n${JSON.stringify(error)}`, refusal: error };
  }
}

const isSecret = (name: string) => SETTINGS[name as SettingName]?.kind === 'secret';

const runs = { numRuns: 200, seed: randomInt(2 ** 31) };

describe('a setting with any text is accepted, or is the only one named, and a secret is never printed [G18]', () => {
  test.each(NAMES)('%s', (name) => {
    fc.assert(
      fc.property(text, (value) => {
        const { shown, refusal } = outcomeOf({ ...ENV, [name]: value });
        if (refusal) expect(refusal.facts.fields).toEqual([name]);
        if (isSecret(name)) expect(withoutLogin(shown, value)).not.toContain(CANARY);
      }),
      runs,
    );
  });

  test.each(NAMES.filter(isSecret))('%s_FILE', (name) => {
    const { [name as keyof typeof ENV]: _, ...others } = ENV;
    fc.assert(
      fc.property(text, (path) => {
        const { shown, refusal } = outcomeOf({ ...others, [`${name}_FILE`]: path });
        if (path.trim() !== '') expect(refusal?.facts.fields).toContain(`${name}_FILE`);
        expect(shown).not.toContain(CANARY);
      }),
      runs,
    );
  });

  test.each(TEMPORAL_NAMES)('%s', (name) => {
    fc.assert(
      fc.property(text, (value) => {
        const { shown, refusal } = outcomeOf({ ...ENV, [name]: value });
        if (refusal) expect([['TEMPORAL_*'], [name]]).toContainEqual(refusal.facts.fields);
        if (/KEY/.test(name)) expect(shown).not.toContain(CANARY);
      }),
      runs,
    );
  });
});

test('many settings with any text are accepted, or only settings are named', () => {
  const env = fc.record(Object.fromEntries(NAMES.map((name) => [name, fc.option(text, { nil: undefined })])));
  fc.assert(
    fc.property(env, (given) => {
      const { refusal } = outcomeOf(given);
      for (const field of refusal?.facts.fields ?? []) expect(NAMES).toContain(field);
    }),
    runs,
  );
});

/** Removes user, host and database of a Postgres URL, which are shown on purpose. */
function withoutLogin(shown: string, value: string): string {
  if (!/^\s*postgres(ql)?:/.test(value) || !URL.canParse(value)) return shown;
  const { username, host, pathname } = new URL(value);
  return [username, host, pathname].reduce(
    (text, part) => (part ? text.replaceAll(JSON.stringify(part).slice(1, -1), '') : text),
    shown,
  );
}
