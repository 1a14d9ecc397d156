/** How commands fail: with an exit code for scripts, and a message that names the field and never the typed value. */
import { describe, expect, it } from 'vitest';
import { freePort } from '../../src/dev/ports.js';
import { startModelsService } from '../management/models-service.js';
import { uniqueName } from '../support/parts.js';
import { CANARY, documentOf, newRootKey, operator } from './operator.js';
import type { CliOptions } from './run-cli.js';

const op = operator();

/** Runs a command that fails, with and without --json, and checks that both report the same error. */
async function failure(args: readonly string[], options: CliOptions = {}) {
  const [asScript, asPerson] = await Promise.all([op.run([...args, '--json'], options), op.run(args, options)]);
  expect(asScript.stderr).toBe('');
  const { error } = documentOf(asScript);
  expect(asPerson).toEqual({ exitCode: asScript.exitCode, stdout: '', stderr: `✖ ${error.type}: ${error.message}\n` });
  return { exitCode: asScript.exitCode, ...error };
}

describe('exit code 2 reports invalid input:', () => {
  it.each([
    ['an unknown command', ['rotate-all'], "unknown command 'rotate-all'"],
    ['an unknown option', ['list', 'ws_acme', '--frob'], "unknown option '--frob'"],
    ['a missing argument', ['list'], "missing required argument 'workspace'"],
    ['an extra argument', ['configure', 'ws_acme', 'llm', 'anthropic', CANARY], 'too many arguments'],
    ['a key as an option', ['configure', 'ws_acme', 'llm', 'anthropic', `--api-key=${CANARY}`], 'unknown option;'],
    ['a key that looks like an option', ['list', `--${CANARY}`], 'unknown option;'],
    ['a key as a command', [CANARY], 'unknown command;'],
    [
      'a key as the name of a variable',
      ['configure', 'ws_acme', 'llm', 'anthropic', '--secret-env', CANARY],
      'is not set',
    ],
    ['no secret', ['configure', 'ws_acme', 'llm', 'anthropic'], 'no secret was given'],
  ])('%s', async (_what, args, text) => {
    const failed = await failure(args);
    expect(failed).toEqual({ exitCode: 2, type: 'UsageInvalid', message: expect.stringContaining(text), fields: [] });
  });

  it.each([
    ['an unknown type', ['ws_acme', 'smtp', 'anthropic'], ['type']],
    ['a name in upper case', ['ws_acme', 'llm', 'Anthropic'], ['name']],
    ['a name with a control character', ['ws_acme', 'llm', 'anthropic\u0007'], ['name']],
    ['a workspace in unicode', ['ws_ácme', 'llm', 'anthropic'], ['workspaceId']],
    ['an invalid base URL', ['ws_acme', 'llm', 'mine', '--set', 'baseURL=not a URL'], ['config.baseURL']],
    ['an invalid chain id', ['ws_acme', 'rpc', 'main', '--set', 'chainId=one'], ['config.chainId', 'secret.url']],
    ['a secret as an argument', ['ws_acme', 'llm', 'anthropic', '--set', `apiKey=${CANARY}`], ['secret.apiKey']],
  ])('%s', async (_what, args, fields) => {
    const failed = await failure(['configure', ...args], { stdin: CANARY });
    expect(failed).toMatchObject({ exitCode: 2, type: 'ProviderConfigInvalid', fields });
  });

  it.each([
    ['of 10 MB', 'c'.repeat(10_000_000)],
    ['that is not UTF-8 text', Buffer.from([0xff, 0xfe, 0xff])],
    ['that is a truncated JSON object', `{"apiKey": "${CANARY}"`],
  ])('a secret %s', async (_what, stdin) => {
    const failed = await failure(['configure', 'ws_acme', 'llm', 'anthropic'], { stdin });
    expect(failed).toMatchObject({ exitCode: 2, type: 'ProviderConfigInvalid', fields: ['secret'] });
  });

  it('invalid settings, all in one message', async () => {
    const env = { DATABASE_URL: '', ENCRYPTION_KEY: CANARY, PROVIDER_PREPARED_STATEMENTS: 'maybe' };
    const failed = await failure(['list', 'ws_acme'], { env });
    expect(failed).toMatchObject({
      exitCode: 2,
      type: 'SetupInvalid',
      fields: ['DATABASE_URL', 'PROVIDER_PREPARED_STATEMENTS', 'ENCRYPTION_KEY'],
    });
  });

  it('an invalid database URL, which may contain a password', async () => {
    const failed = await failure(['list', 'ws_acme'], { env: { DATABASE_URL: `postgres//me:${CANARY}@host/db` } });
    expect(failed).toMatchObject({ exitCode: 2, type: 'SetupInvalid' });
  });
});

describe('exit code 3 reports a provider that does not exist:', () => {
  it.each([
    ['check', ['check', 'ws_nobody', 'llm', 'anthropic']],
    ['check of a workspace', ['check', 'ws_nobody']],
    ['remove', ['remove', 'ws_nobody', 'llm', 'anthropic', '--yes']],
    ['disable', ['disable', 'ws_nobody', 'llm', 'anthropic']],
  ])('%s', async (_what, args) => {
    expect(await failure(args)).toMatchObject({ exitCode: 3, type: 'ProviderNotConfigured' });
  });
});

describe('exit code 4 reports a credential', () => {
  it('that cannot be opened', async () => {
    const workspaceId = uniqueName('ws');
    await op.configured(workspaceId, 'mine', CANARY);
    const failed = await failure(['check', workspaceId, 'llm', 'mine'], { env: { ENCRYPTION_KEY: newRootKey() } });
    expect(failed).toMatchObject({ exitCode: 4, type: 'CredentialUnreadable' });
  });

  it('that the service rejects, as a result and not as an error', async () => {
    const workspaceId = uniqueName('ws');
    await op.configured(workspaceId, 'mine', `${CANARY}-wrong`);
    const checked = await op.run(['check', workspaceId, 'llm', 'mine']);
    expect(checked).toMatchObject({ exitCode: 4, stdout: expect.stringMatching(/^✖ rejected/), stderr: '' });
  });
});

describe('exit code 5 asks to try again if', () => {
  it('Postgres is unavailable', async () => {
    const env = { DATABASE_URL: `postgres://me:${CANARY}@127.0.0.1:${await freePort()}/db` };
    expect(await failure(['list', 'ws_acme'], { env })).toMatchObject({ exitCode: 5, type: 'StoreUnavailable' });
    expect(await failure(['migrate'], { env })).toMatchObject({ exitCode: 5, type: 'StoreUnavailable' });
  });

  it('Temporal is unavailable', async () => {
    const TEMPORAL_ADDRESS = `127.0.0.1:${await freePort()}`;
    const env = { DATABASE_URL: op.database.resolverUrl, TEMPORAL_ADDRESS, ...op.grantKeys.workerEnv };
    expect(await op.run(['worker', '--json'], { env })).toMatchObject({ exitCode: 5 });
  });

  it('the service does not answer', async () => {
    const service = await startModelsService(CANARY);
    const workspaceId = uniqueName('ws');
    try {
      service.goAway();
      await op.run(['configure', workspaceId, 'llm', 'mine', '--set', `baseURL=${service.baseURL}`], { stdin: CANARY });
      const checked = await op.run(['check', workspaceId, 'llm', 'mine']);
      expect(checked).toMatchObject({ exitCode: 5, stdout: expect.stringMatching(/^\? cannot tell/) });
    } finally {
      await service.stop();
    }
  });
});
