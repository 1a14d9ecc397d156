import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readAdminDatabaseUrl, readManagerConfig } from '../../src/config/manager-config.js';
import {
  describeProviderConfig,
  type ProviderOptions,
  providerNotes,
  readConfig,
  readProviderConfig,
} from '../../src/config/resolver-config.js';
import { meantSetting, Settings } from '../../src/config/settings.js';
import { SETTINGS } from '../../src/config/settings-table.js';
import { describeWorkerConfig, workerConfigFromEnv } from '../../src/config/worker-config.js';
import type { ProviderError } from '../../src/protocol/errors.js';
import { TEST_ENCRYPTION_KEY } from '../support/fake-store.js';

const PASSWORD = 'canary-database-password';
const ENV = {
  DATABASE_URL: `postgres://worker:${PASSWORD}@db.example:5432/agents`,
  ENCRYPTION_KEY: TEST_ENCRYPTION_KEY,
  PROVIDER_GRANT_KEYS: '/run/secrets/grant-keys.json',
};

const providerConfigFromEnv = (env: NodeJS.ProcessEnv, options: ProviderOptions = {}) =>
  readConfig({ ...options, env }, readProviderConfig);

function refusal(env: NodeJS.ProcessEnv): ProviderError {
  try {
    workerConfigFromEnv(env);
  } catch (error) {
    return error as ProviderError;
  }
  throw new Error('the settings were accepted, but a SetupInvalid error was expected');
}

describe('invalid settings', () => {
  test('a missing database, root key and grant keys are all named in one message, with how to set them', () => {
    const { type, message, facts } = refusal({});
    expect(type).toBe('SetupInvalid');
    expect(facts.fields).toEqual(['DATABASE_URL', 'ENCRYPTION_KEY', 'PROVIDER_GRANT_KEYS']);
    expect(message).toContain('postgres://');
    expect(message).toContain('openssl rand -base64 32');
    expect(message).toContain('workspace-providers grants create-key');
  });

  test.each([
    ['PROVIDER_CACHE_LEASE', '30'],
    ['PROVIDER_CACHE_LEASE', '30 sekunden'],
    ['PROVIDER_CACHE_LEASE', '1ms'],
    ['PROVIDER_CACHE_MAX', '0'],
    ['PROVIDER_CACHE_MAX', '1e3'],
    ['PROVIDER_PREPARED_STATEMENTS', 'ture'],
    ['PROVIDER_PLATFORM_FALLBACK', 'llm'],
    ['PROVIDER_PLATFORM_FALLBACK', 'llm/anthropic'],
    ['PROVIDER_SHUTDOWN_GRACE', '-1s'],
    ['PROVIDER_LISTEN_DATABASE_URL', 'on'],
    ['PROVIDER_MANAGER_DATABASE_URL', 'manager@db'],
    ['PROVIDER_LONGEST_STEP', '0s'],
    ['PROVIDER_EGRESS_NETWORKS', '10.0.0.0'],
    ['PROVIDER_EGRESS_NETWORKS', 'loopbak'],
    ['PROVIDER_EGRESS_PORTS', '0'],
    ['PROVIDER_EGRESS_PORTS', '443;8443'],
    ['PROVIDER_GRANTS', 'off'],
    ['PROVIDER_GRANT_KEYS', '{"keys":[]}'],
    ['PROVIDER_CACHE_LEESE', '30s'],
  ])('%s=%s is refused by the name of the setting', (name, value) => {
    expect(refusal({ ...ENV, [name]: value }).facts.fields).toEqual([name]);
  });

  test.each([
    ['PROVIDER_CACHE_LEESE', 'PROVIDER_CACHE_LEASE'],
    ['PROVIDER_GRANT_KEY', 'PROVIDER_GRANT_KEYS'],
    ['PROVIDER_EGRES_PORTS', 'PROVIDER_EGRESS_PORTS'],
    ['PROVIDER_TAKS_QUEUE', 'PROVIDER_TASK_QUEUE'],
    ['PROVIDERS_CACHE_LEASE', 'PROVIDER_CACHE_LEASE'],
    ['provider_cache_lease', 'PROVIDER_CACHE_LEASE'],
    ['PROVIDER_PAYLOAD_KEYS_FILE', 'PROVIDER_PAYLOAD_KEY_FILE'],
    ['PROVIDER_ADMIN_DATABASE_URI', 'PROVIDER_ADMIN_DATABASE_URL'],
  ])('%s is refused as a misspelling of %s', (name, meant) => {
    expect(refusal({ ...ENV, [name]: '1' }).message).toBe(`${name} is not a setting: did you mean ${meant}?`);
  });

  test.each([
    ...['PROVIDER_REGION', 'PROVIDER_CACHE_MAX_FILE', 'PROVIDERS', 'PROVIDER_TOKEN', 'PROVIDER_'],
    ...['PROVIDER_API_KEY', 'PROVIDER_DATABASE_HOST', 'PROVIDER_NAME', 'PROVIDER_URL', 'DATABASE_URLS'],
    ...['DATABASE_URI', 'ENCRYPTION_KEYS', 'ENCRYPTION_KEY_2'],
  ])("%s is another program's variable, and is ignored", (name) => {
    expect(meantSetting(name)).toBeUndefined();
    expect(() => workerConfigFromEnv({ ...ENV, [name]: '1' })).not.toThrow();
  });

  test('no setting is taken for a misspelling of another', () => {
    const names = Object.keys(SETTINGS);
    expect([...names, ...names.map((name) => `${name}_FILE`)].map(meantSetting)).toEqual(
      Array(2 * names.length).fill(undefined),
    );
  });

  test('a misspelt setting also stops the commands that only an administrator runs', () => {
    const settings = new Settings({ DATABASE_URL: ENV.DATABASE_URL, PROVIDER_ADMIN_DATABSE_URL: 'postgres://db/x' });
    expect(() => readAdminDatabaseUrl(settings)).toThrow('did you mean PROVIDER_ADMIN_DATABASE_URL?');
  });

  test.each([
    [{ lease: '30' }, /^lease must be a duration/],
    [{ cacheMax: 0 }, /^cacheMax must be a whole number/],
    [{ rootKeys: 'short' }, /^rootKeys entry 1 has no id/],
    [{ egress: { networks: ['loopbak'] } }, /^egress\.networks must be/],
    [{ databaseUrl: 'mysql://x' }, /^databaseUrl must be postgres:/],
    [{ fallback: ['llm'] }, /^fallback /],
  ])('the option %j is refused by the name of the option, not of the setting', (options, message) => {
    const read = () => providerConfigFromEnv(ENV, options as ProviderOptions);
    expect(read).toThrow(message);
    expect(read).toThrow(expect.objectContaining({ type: 'SetupInvalid' }));
  });

  test('the message never contains a value', () => {
    const canary = 'canary-value-in-the-wrong-place';
    for (const name of Object.keys(SETTINGS)) {
      // Any text is a valid name or file path, and a worker does not read the administrator's URL.
      if (/TASK_QUEUE$|_IDENTITY$|^PROVIDER_(GRANT|ADMIN|TELEMETRY)_/.test(name)) continue;
      expect(refusal({ ...ENV, [name]: canary }).message).not.toContain(canary);
    }
  });
});

describe('valid settings', () => {
  test('have defaults', () => {
    const config = workerConfigFromEnv(ENV);
    expect(config).toMatchObject({ namespace: 'default', taskQueue: 'agents', shutdownGraceMs: 30_000 });
    expect(config.providers).toMatchObject({ leaseMs: 30_000, maxProviders: 10_000 });
  });

  test('are overridden by options', () => {
    const env = { ...ENV, PROVIDER_CACHE_LEASE: '1m', PROVIDER_CACHE_MAX: '5' };
    const config = providerConfigFromEnv(env, { lease: '2s', databaseUrl: 'postgres://other@db.example/agents' });
    expect(config).toMatchObject({ leaseMs: 2_000, maxProviders: 5 });
    expect(config.database.databaseUrl).toBe('postgres://other@db.example/agents');
  });

  test("have a separate URL for the worker's and the manager's login, which DATABASE_URL only replaces by default", () => {
    const env = { ...ENV, PROVIDER_DATABASE_URL: 'postgres://worker@db.example/own' };
    expect(providerConfigFromEnv(env).database.databaseUrl).toBe(env.PROVIDER_DATABASE_URL);
    const manager = { ...ENV, PROVIDER_MANAGER_DATABASE_URL: 'postgres://manager@db.example/own' };
    expect(readManagerConfig({ env: manager }).database.databaseUrl).toBe(manager.PROVIDER_MANAGER_DATABASE_URL);
    expect(readManagerConfig({ env: ENV }).database.databaseUrl).toBe(ENV.DATABASE_URL);
  });

  test('accept durations with units', () => {
    const lease = (value: string) => providerConfigFromEnv({ ...ENV, PROVIDER_CACHE_LEASE: value }).leaseMs;
    expect([lease('500ms'), lease('20s'), lease('5m'), lease('1h')]).toEqual([500, 20_000, 300_000, 3_600_000]);
  });

  test("make a worker run rotations only if they have a manager's login [G15]", () => {
    const managerUrl = ENV.DATABASE_URL.replace('worker:', 'manager:');
    const config = workerConfigFromEnv({ ...ENV, PROVIDER_MANAGER_DATABASE_URL: managerUrl });
    expect(config.operations).toMatchObject({
      database: { databaseUrl: managerUrl },
      taskQueue: 'provider-operations',
    });
    expect(describeWorkerConfig(config)).toMatchObject({ runsRotations: true });
    expect(describeWorkerConfig(workerConfigFromEnv(ENV))).toMatchObject({ runsRotations: false });
  });

  test('can name another database URL for notifications, or switch them off', () => {
    const listenUrl = (value: string) =>
      providerConfigFromEnv({ ...ENV, PROVIDER_LISTEN_DATABASE_URL: value }).listenUrl;
    expect([listenUrl('postgres://direct.example/agents'), listenUrl('off'), listenUrl('')]).toEqual([
      'postgres://direct.example/agents',
      'off',
      ENV.DATABASE_URL,
    ]);
  });

  test("include Temporal's own variables", () => {
    const config = workerConfigFromEnv({
      ...ENV,
      TEMPORAL_ADDRESS: 'temporal.example:7233',
      TEMPORAL_NAMESPACE: 'prod',
    });
    expect(config).toMatchObject({ namespace: 'prod', connection: { address: 'temporal.example:7233' } });
  });

  test('are described without secrets', () => {
    const described = JSON.stringify(describeWorkerConfig(workerConfigFromEnv(ENV)));
    expect(described).toContain('worker@db.example:5432/agents');
    expect(described).not.toContain(PASSWORD);
    expect(described).not.toContain(TEST_ENCRYPTION_KEY.slice('test:'.length));
  });

  test('add a note at the start if they allow a platform fallback', () => {
    const env = { ...ENV, PROVIDER_PLATFORM_FALLBACK: 'llm/openai', OPENAI_API_KEY: 'canary-platform-openai' };
    const config = providerConfigFromEnv(env);
    expect(providerNotes(config)).toEqual([expect.stringContaining('llm/openai')]);
    expect(describeProviderConfig(config).platformFallback).toBe('llm/openai');
    expect(providerNotes(providerConfigFromEnv(ENV))).toEqual([]);
  });

  test('switch grants off only with a value that names the consequence', () => {
    const { PROVIDER_GRANT_KEYS: _none, ...env } = ENV;
    const off = { ...env, PROVIDER_GRANTS: 'every-workflow-may-use-every-workspace' };
    const config = providerConfigFromEnv(off);
    expect(describeProviderConfig(config).grants).toBe('every-workflow-may-use-every-workspace');
  });

  test('add a note at the start if they allow extra egress networks, and describe the ports', () => {
    const config = workerConfigFromEnv({
      ...ENV,
      PROVIDER_EGRESS_NETWORKS: 'loopback, 10.1.0.0/16',
      PROVIDER_EGRESS_PORTS: '443,11434',
      PROVIDER_MANAGER_DATABASE_URL: ENV.DATABASE_URL,
    });
    expect(providerNotes(config.providers)).toEqual([expect.stringContaining('loopback, 10.1.0.0/16')]);
    const described = { egressNetworks: 'loopback, 10.1.0.0/16', egressPorts: '443, 11434' };
    expect(describeWorkerConfig(config)).toMatchObject(described);
    expect(config.operations?.egress?.allows('10.1.2.3')).toBe(true);
    expect(providerConfigFromEnv(ENV).egress?.allows('10.1.2.3')).toBe(false);
  });
});

describe('a secret in a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'workspace-providers-settings-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (content: string) => {
    const path = join(folder, randomUUID());
    writeFileSync(path, content);
    return path;
  };

  test('replaces its setting, and is read without its final newline [G19]', () => {
    const manager = 'postgres://manager:canary-manager@db.example:5432/agents';
    const config = workerConfigFromEnv({
      PROVIDER_GRANT_KEYS: ENV.PROVIDER_GRANT_KEYS,
      DATABASE_URL_FILE: file(`${ENV.DATABASE_URL}\n`),
      ENCRYPTION_KEY_FILE: file(TEST_ENCRYPTION_KEY),
      PROVIDER_MANAGER_DATABASE_URL_FILE: file(manager),
      PROVIDER_PAYLOAD_KEY_FILE: file(TEST_ENCRYPTION_KEY),
    });
    expect(config.providers.database.databaseUrl).toBe(ENV.DATABASE_URL);
    expect(config.operations?.database.databaseUrl).toBe(manager);
    expect(config.dataConverter?.payloadCodecs).toHaveLength(1);
    expect(config.providers.rootKeyring).toBeDefined();
  });

  test.each([
    ['that does not exist', () => join(folder, 'missing'), /^ENCRYPTION_KEY_FILE names a file that does not exist/],
    ['that is empty', () => file('\n'), /^ENCRYPTION_KEY_FILE names an empty file/],
  ])('%s is refused', (_, path, problem) => {
    const { message, facts } = refusal({ DATABASE_URL: ENV.DATABASE_URL, ENCRYPTION_KEY_FILE: path() });
    expect(message).toMatch(problem);
    expect(facts.fields).toContain('ENCRYPTION_KEY_FILE');
  });

  test('is refused together with the setting itself, because one of the two would be ignored', () => {
    const refused = refusal({ ...ENV, ENCRYPTION_KEY_FILE: file(TEST_ENCRYPTION_KEY) });
    expect(refused.message).toBe('ENCRYPTION_KEY_FILE is set, and so is ENCRYPTION_KEY: remove one of them');
  });
});
