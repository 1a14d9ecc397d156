/** Rotations that an operator starts and a worker runs: what the commands print, prove, refuse and return. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { freePort } from '../../../src/dev/ports.js';
import { pastDue, stagedLongAgo } from '../../support/due.js';
import { temporalAddress, uniqueName } from '../../support/parts.js';
import { CANARY, documentOf, NEW_CANARY, NEXT_CANARY, operator } from '../operator.js';
import type { CliOptions } from '../run-cli.js';
import { type RunningCommand, runMeanwhile, startCommand } from '../running-command.js';
import { itOnTerminal, onTerminal } from '../terminal/terminal.js';

const op = operator();
const PROVIDER_OPERATIONS_TASK_QUEUE = uniqueName('cli-operations');
const PATIENCE = { timeout: 20_000, interval: 100 };
let worker: RunningCommand;

beforeAll(async () => {
  worker = await startCommand(['worker', '--json'], {
    ENCRYPTION_KEY: op.env.ENCRYPTION_KEY,
    ...op.grantKeys.workerEnv,
    DATABASE_URL: op.database.resolverUrl,
    PROVIDER_MANAGER_DATABASE_URL: op.database.managerUrl,
    PROVIDER_OPERATIONS_TASK_QUEUE,
    PROVIDER_WORKER_IDENTITY: 'agents-7',
  });
});
afterAll(() => worker?.end('SIGTERM'));

const temporal = () => ({ TEMPORAL_ADDRESS: temporalAddress(), PROVIDER_OPERATIONS_TASK_QUEUE });
const runs = (args: readonly string[], { env, ...options }: CliOptions = {}) =>
  op.run(args, { ...options, env: { ...temporal(), ...env } });

async function configured(): Promise<readonly [workspaceId: string, type: string, name: string]> {
  const workspaceId = uniqueName('ws');
  await op.configured(workspaceId, 'mine', CANARY);
  return [workspaceId, 'llm', 'mine'];
}

const versionOf = async (workspaceId: string) =>
  documentOf(await op.run(['list', workspaceId, '--json'])).providers[0].version;

/** Runs a copy of the `rotate-due` schedule once; other tests use the original name. @returns its totals */
async function rotateDue(): Promise<unknown> {
  const { schedule, workflow } = op.grants.operatorClient('a test');
  const handle = await schedule.create({
    scheduleId: uniqueName('rotate-due'),
    spec: {},
    action: {
      ...{ type: 'startWorkflow', workflowType: 'rotateDueProviders', workflowId: uniqueName('rotate-due') },
      ...{ taskQueue: PROVIDER_OPERATIONS_TASK_QUEUE, args: [{}] },
    },
    state: { triggerImmediately: true },
  });
  onTestFinished(() => handle.delete());
  const [run] = await vi.waitUntil(async () => {
    const { recentActions } = (await handle.describe()).info;
    return recentActions.length > 0 && recentActions;
  }, PATIENCE);
  return workflow.getHandle(run?.action.workflow.workflowId ?? '').result();
}

describe('rotate', () => {
  it('prints each stage once when it is passed, and what is left to do by hand', async () => {
    const provider = await configured();
    const { exitCode, stdout, stderr } = await runs(['rotate', ...provider], { stdin: NEXT_CANARY });
    const printed = stdout.replace(/\d+ ms/g, '12 ms').replace(/\d\d:\d\d:\d\d\.\d{3}/, '12:00:03.412');
    expect({ exitCode, printed, stderr }).toEqual({
      exitCode: 0,
      printed: [
        '✔ checked     the service returned its list of models (12 ms)',
        '✔ activated   version 2',
        '✔ fenced      no worker has served version 1 since 12:00:03.412 UTC (1 of 1 worker answered in 12 ms)',
        '✔ drained     no step holds version 1 (12 ms)',
        '? revoke      delete the key at the service that the base URL leads to\n',
      ].join('\n'),
      stderr: '',
    });
  });

  it('reports the proof with --json, in one document', async () => {
    const [workspaceId, type, name] = await configured();
    const args = ['rotate', workspaceId, type, name, '--json', '--secret-env', 'NEXT', '--drain-limit', '0'];
    const document = documentOf(await runs(args, { env: { NEXT: NEXT_CANARY } }));
    expect(document).toMatchObject({
      provider: { workspaceId, type, name },
      state: 'drained',
      fromVersion: 1,
      toVersion: 2,
      check: { outcome: 'ok' },
      fence: { workers: [{ identity: 'agents-7', outcome: 'applied' }] },
      drain: { drained: true, holders: [] },
      revocation: { outcome: 'by-hand' },
    });
    expect(Date.parse(document.fencedAt)).toBeLessThanOrEqual(Date.now());
    const { rotations } = documentOf(await op.run(['rotations', workspaceId, '--json']));
    expect(rotations).toEqual([expect.objectContaining({ rotationId: document.rotationId, state: 'drained' })]);
    expect(rotations[0].requestedBy).toMatch(/^cli:.+@.+$/);
  });

  it('changes nothing and exits with 4 if the service rejects the next credential', async () => {
    const provider = await configured();
    const asPerson = await runs(['rotate', ...provider], { stdin: NEW_CANARY });
    expect(asPerson).toMatchObject({
      exitCode: 4,
      stdout: expect.stringMatching(/^✖ rejected .* \(HTTP 401\) \(\d+ ms\)\n$/),
    });
    expect(asPerson.stderr).toMatch(
      /^✖ CredentialRejected: the service rejects the next credential: .*; nothing was changed\n$/,
    );
    const asScript = await runs(['rotate', ...provider, '--json'], { stdin: NEW_CANARY });
    expect(asScript).toMatchObject({ exitCode: 4, stderr: '' });
    expect(documentOf(asScript)).toMatchObject({ state: 'failed', error: { type: 'CredentialRejected' } });
    expect(await versionOf(provider[0])).toBe(1);
    expect((await op.run(['rotations', provider[0]])).stdout).toMatch(
      / {2}failed {2}version 1 {2}.* the service rejects the next credential/,
    );
  });

  it('refuses a second rotation, and rolls the first back while both credentials are valid', async () => {
    const provider = await configured();
    const started = await runs(['rotate', ...provider, '--overlap', '10m', '--no-wait'], { stdin: NEXT_CANARY });
    expect(started).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^✔ started {5}llm\/mine of /) });
    const second = await runs(['rotate', ...provider, '--json'], { stdin: CANARY });
    expect(second.exitCode).toBe(2);
    expect(documentOf(second).error).toMatchObject({ type: 'RotationInProgress' });
    await expect.poll(() => versionOf(provider[0]), PATIENCE).toBe(2);
    expect((await op.run(['rotations', provider[0]])).stdout).toContain(', running');

    const back = await runs(['rollback', ...provider, '--reason', 'it was the wrong account']);
    expect(back).toMatchObject({ exitCode: 0, stderr: '' });
    expect(back.stdout).toMatch(/✔ rolled back version 3 holds the older credential · it was the wrong account\n/);
    expect(back.stdout).toMatch(/✔ fenced {6}no worker has served version 2 since /);
    const [rotation] = documentOf(await op.run(['rotations', provider[0], '--json'])).rotations;
    expect(rotation).toMatchObject({ state: 'rolled-back', rolledBack: true, toVersion: 3 });
    expect(await op.run(['check', ...provider])).toMatchObject({ exitCode: 0 });
  });

  it('only stores the next credential with --when-due, and the workflow of due rotations uses it later', async () => {
    const [workspaceId, type, name] = await configured();
    const identity = { workspaceId, type, name };
    // Without Temporal, because nothing is started.
    const stage = ['rotate', workspaceId, type, name, '--when-due', '--json'];
    const { rotationId, ...staged } = documentOf(await op.run(stage, { stdin: NEXT_CANARY }));
    expect(staged).toEqual(identity);
    const state = async () => documentOf(await op.run(['rotations', workspaceId, '--json'])).rotations[0];
    expect(await state()).toMatchObject({ rotationId, state: 'staged', origin: 'given' });
    expect(await versionOf(workspaceId)).toBe(1);

    await op.run(['rotate-every', workspaceId, type, name, '30d']);
    await pastDue(op.database, identity);
    await stagedLongAgo(op.database, rotationId);
    expect(await rotateDue()).toMatchObject({ due: 1, rotated: 1, failed: 0, needPerson: 0 });
    expect(await state()).toMatchObject({ rotationId, state: 'drained', fromVersion: 1, toVersion: 2 });
    const [provider] = documentOf(await op.run(['list', workspaceId, '--json'])).providers;
    expect(provider).toMatchObject({ version: 2, secret: { apiKey: `…${NEXT_CANARY.slice(-4)}` } });
  });

  it.each([
    ['rollback without a running rotation', ['rollback'], 'RotationFailed'],
    ['--issue if the service cannot issue keys', ['rotate', '--issue'], 'ProviderConfigInvalid'],
    ['the current credential', ['rotate'], 'ProviderConfigInvalid'],
    ['an invalid duration', ['rotate', '--overlap', '1 day'], 'UsageInvalid'],
    ['--issue together with a secret', ['rotate', '--issue', '--secret-env', 'NEXT'], 'UsageInvalid'],
    ['--when-due with an overlap', ['rotate', '--when-due', '--overlap', '1h'], 'UsageInvalid'],
    ['the current credential with --when-due', ['rotate', '--when-due'], 'ProviderConfigInvalid'],
  ])('refuses %s', async (_what, [command = '', ...options], type) => {
    const provider = await configured();
    const refused = await runs([command, ...provider, ...options, '--json'], { stdin: CANARY });
    expect(refused.exitCode).toBe(2);
    expect(documentOf(refused).error.type).toBe(type);
    expect(await versionOf(provider[0])).toBe(1);
  });

  it('reports that no worker runs rotations, and leaves the rotation running after Ctrl-C', async () => {
    const [workspaceId, ...provider] = await configured();
    const { exitCode, said } = await runMeanwhile(['rotate', workspaceId, ...provider], {
      env: { ...op.env, ...temporal(), PROVIDER_OPERATIONS_TASK_QUEUE: uniqueName('nobody') },
      stdin: NEXT_CANARY,
      said: /no worker runs rotations: start one with PROVIDER_MANAGER_DATABASE_URL/,
      act: (command) => command.kill('SIGINT'),
    });
    expect(exitCode).toBe(130);
    expect(said).toContain(`the rotation continues: workspace-providers rotations ${workspaceId} shows how it ends`);
    expect((await op.run(['rotations', workspaceId])).stdout).toContain('staged, running');
  });

  it('reports what is left to do if its workflow is terminated after the change', async () => {
    const [workspaceId, ...provider] = await configured();
    const workflow = op.grants.operatorClient('a test').workflow.getHandle(`rotate/${workspaceId}/llm/mine`);
    const { exitCode, said } = await runMeanwhile(['rotate', workspaceId, ...provider, '--overlap', '10m'], {
      env: { ...op.env, ...temporal() },
      stdin: NEXT_CANARY,
      said: /overlapping both credentials stay valid until/,
      act: () => workflow.terminate(),
    });
    expect(exitCode).toBe(6);
    expect(said).toMatch(
      /✖ RotationFailed: workflow \S+ did not complete: .*; version 2 is served, and the older credential/,
    );
  });

  it('names the setting if Temporal does not have the namespace', async () => {
    const env = { TEMPORAL_NAMESPACE: 'nowhere' };
    const refused = await runs(['rotate', ...(await configured()), '--json'], { env, stdin: NEXT_CANARY });
    expect(refused.exitCode).toBe(2);
    expect(documentOf(refused).error).toMatchObject({ type: 'SetupInvalid', fields: ['TEMPORAL_NAMESPACE'] });
  });

  it('reports that Temporal is unavailable before it asks for a secret', async () => {
    const env = { TEMPORAL_ADDRESS: `127.0.0.1:${await freePort()}` };
    const away = await runs(['rotate', ...(await configured()), '--json'], { env });
    expect(away.exitCode).toBe(5);
    expect(documentOf(away).error).toMatchObject({
      type: 'TemporalUnavailable',
      message: expect.stringContaining('TEMPORAL_ADDRESS'),
    });
  });

  itOnTerminal('redraws its stages in place on a terminal, and leaves the last drawing there', async () => {
    const provider = await configured();
    const env = { ...op.env, ...temporal() };
    const rotated = await onTerminal(['rotate', ...provider], 'next apiKey for', `${NEXT_CANARY}\r`, env);
    expect(rotated.exitCode).toBe(0);
    expect(rotated.raw, 'the cursor goes up to redraw').toContain('A\r\u001b[J');
    const left = rotated.raw.slice(rotated.raw.lastIndexOf('\u001b[J'));
    for (const verb of ['checked', 'activated', 'fenced', 'drained', 'revoke ']) expect(left).toContain(verb);
    expect(left, 'no spinner is left').not.toMatch(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/u);
    expect(rotated.shown).not.toContain(NEXT_CANARY.slice(0, 14));
  });
});

it('workers shows each worker, whether it is current, and when it was last heard from', async () => {
  const { epoch, workers } = documentOf(await op.run(['workers', '--json']));
  expect(workers).toEqual([expect.objectContaining({ identity: 'agents-7', state: 'live', leaseMs: 30_000 })]);
  expect(epoch).toBeGreaterThanOrEqual(workers[0].appliedEpoch);
  const { stdout } = await op.run(['workers']);
  expect(stdout).toMatch(
    /^agents-7 {2}live {2}(current|\d+ changes? behind) {2}lease 30 s {2}heard .* ago {2}build \S+ {2}keys [0-9a-f]{8}\n$/,
  );
});
