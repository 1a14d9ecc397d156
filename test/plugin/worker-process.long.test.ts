/** The worker as it runs in production: its own process, from `dist/`, on a real Postgres and a real Temporal. */

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { on, once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { Client } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import proto from '@temporalio/proto';
import parsePrometheusTextFormat from 'parse-prometheus-text-format';
import { describe, expect, test, vi } from 'vitest';
import { GrantSigner, WorkspaceGrants } from '../../src/client.js';
import { freePort } from '../../src/dev/ports.js';
import { LOOPBACK_ENV } from '../../testbed/loopback.js';
import { openStage } from '../../testbed/stage.js';
import { startLlmStandIn } from '../../testbed/standins/llm.js';
import { runAgentWorkflows } from '../support/agent-workflows.js';
import { createStageDatabase } from '../support/database.js';
import { temporalAddress, uniqueName } from '../support/parts.js';
import { useStage } from '../support/use-stage.js';

const { History } = proto.temporal.api.history.v1;
const WORKER = fileURLToPath(new URL('../../dist/worker.js', import.meta.url));
const KEY = 'canary-anthropic-key-of-the-worker-test';
const running = new Set<ChildProcess>();

const stage = useStage(async (teardown) => {
  const database = await createStageDatabase(teardown);
  const keys = [{ provider: 'anthropic', key: KEY, owner: 'ws_acme' }] as const;
  const services = await teardown.use(startLlmStandIn({ keys }));
  const shared = { database, temporalAddress: temporalAddress(), operator: 'a test', teardown };
  const opened = await openStage(shared);
  const config = { baseURL: services.baseUrls.anthropic.sdk, model: 'claude-test' };
  const identity = { workspaceId: 'ws_acme', type: 'llm', name: 'anthropic' };
  await opened.manager.configureProvider({ ...identity, config, secret: { apiKey: KEY } });
  teardown.defer(async () => {
    for (const child of running) child.kill('SIGKILL');
  });
  return { ...opened, services, teardown };
});

interface WorkerRun {
  readonly child: ChildProcess;
  readonly stdout: Promise<string>;
  readonly stderr: Promise<string>;
  readonly exitCode: Promise<number | null>;
}

function run(env: Record<string, string>): WorkerRun {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [WORKER], {
    env: { PATH, HOME, ...LOOPBACK_ENV, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const exitCode = once(child, 'exit').then(([code]) => {
    running.delete(child);
    return code as number | null;
  });
  return { child, exitCode, stdout: text(child.stdout), stderr: text(child.stderr) };
}

function settings(more: Record<string, string> = {}): Record<string, string> {
  return { ...stage.workerEnv, ...more };
}

async function ready({ child }: WorkerRun): Promise<Record<string, unknown>> {
  const [line] = (await once(child.stdout as NonNullable<ChildProcess['stdout']>, 'data')) as [Buffer];
  return JSON.parse(line.toString()) as Record<string, unknown>;
}

/** Resolves when the worker's log contains `text`. */
async function logged({ child }: WorkerRun, text: string): Promise<void> {
  let log = '';
  for await (const [chunk] of on(child.stderr as NonNullable<ChildProcess['stderr']>, 'data')) {
    log += String(chunk);
    if (log.includes(text)) return;
  }
}

async function startAgent(
  taskQueue: string,
  { workspaceId = 'ws_acme', dataConverter }: { workspaceId?: string; dataConverter?: DataConverter } = {},
) {
  await stage.teardown.use(runAgentWorkflows({ address: temporalAddress(), taskQueue, dataConverter }));
  const client = new Client({ connection: stage.client.connection, dataConverter });
  const grants = new WorkspaceGrants(client, new GrantSigner(stage.grantKeys.signingKey));
  return grants.clientFor(workspaceId).workflow.start('addressAgent', {
    taskQueue,
    workflowId: uniqueName('agent'),
    args: [{ workspaceId, question: 'Anything?', address: '0x0', chainId: 1, providers: ['anthropic'] }],
  });
}

describe('a start that is refused', () => {
  test.each([
    ['no settings at all', {}, 2, /DATABASE_URL[\s\S]*ENCRYPTION_KEY/],
    ['a misspelt setting', { PROVIDER_CACHE_LEESE: '30s' }, 2, /did you mean PROVIDER_CACHE_LEASE/],
    ['a root key that is too short', { ENCRYPTION_KEY: 'a:c2hvcnQ=' }, 2, /ENCRYPTION_KEY/],
    [
      'Postgres is down',
      { DATABASE_URL: 'postgres://worker:canary-password@127.0.0.1:1/agents' },
      5,
      /Postgres does not answer/,
    ],
    [
      'the Postgres of the manager is down',
      { PROVIDER_MANAGER_DATABASE_URL: 'postgres://manager:canary-password@127.0.0.1:1/agents' },
      5,
      /Postgres does not answer/,
    ],
    ['an unknown namespace', { TEMPORAL_NAMESPACE: 'no-such-namespace' }, 2, /check TEMPORAL_NAMESPACE/],
    ['Temporal is down', { TEMPORAL_ADDRESS: '127.0.0.1:1' }, 5, /Temporal does not answer at 127\.0\.0\.1:1/],
  ])('reports the reason and exits with its code: %s', async (what, env: Record<string, string>, code, message) => {
    const worker = run(what === 'no settings at all' ? {} : settings(env));
    expect(await worker.exitCode).toBe(code);
    expect(JSON.parse(await worker.stdout).error.message).toMatch(message);
    expect((await worker.stdout) + (await worker.stderr)).not.toContain('canary');
  });

  test("reports a superuser's login, which would bypass row-level security [G14]", async () => {
    const worker = run(settings({ DATABASE_URL: stage.database.ownerUrl }));
    expect(await worker.exitCode).toBe(2);
    expect(await worker.stdout).toMatch(/superuser/);
  });
});

describe('a running worker', () => {
  test('reads secrets from files, encrypts payloads in Temporal, and opens no inspector at SIGUSR1 [G9]', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'workspace-providers-worker-test-'));
    const PROVIDER_PAYLOAD_KEY = `test:${randomBytes(32).toString('base64')}`;
    const { DATABASE_URL, ENCRYPTION_KEY, ...rest } = settings({ PROVIDER_TASK_QUEUE: uniqueName('worker') });
    const files: Record<string, string> = {};
    for (const [name, value] of Object.entries({ DATABASE_URL, ENCRYPTION_KEY, PROVIDER_PAYLOAD_KEY })) {
      files[`${name}_FILE`] = join(folder, name);
      await writeFile(join(folder, name), `${value}\n`, { mode: 0o600 });
    }
    try {
      const worker = run({ ...rest, ...files });
      const { taskQueue, encryptsPayloads } = await ready(worker);
      expect(encryptsPayloads).toBe(true);
      worker.child.kill('SIGUSR1');

      const built: typeof import('../../src/codec/data-converter.js') = await import(
        new URL('../../dist/codec/data-converter.js', import.meta.url).href
      );
      const dataConverter = built.providerDataConverter(PROVIDER_PAYLOAD_KEY);
      const agent = await startAgent(String(taskQueue), { dataConverter, workspaceId: 'ws_canary_without_keys' });
      const failure = await agent.result().catch((error: unknown) => error);
      // The client has the key and can read the message. The server can read only the failure type.
      expect(inspect(failure)).toContain('ws_canary_without_keys');
      const kept = Buffer.from(History.encode(await agent.fetchHistory()).finish());
      expect(kept.includes('ProviderNotConfigured')).toBe(true);
      expect(kept.includes('ws_canary_without_keys')).toBe(false);

      worker.child.kill('SIGTERM');
      expect(await worker.exitCode).toBe(0);
      expect(await worker.stderr).not.toMatch(/Debugger listening/);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test('serves its metrics and those of the core, is ready once it is, and logs JSON lines [G9]', async () => {
    const PROVIDER_METRICS_ADDRESS = String(await freePort());
    const worker = run(settings({ PROVIDER_TASK_QUEUE: uniqueName('worker'), PROVIDER_METRICS_ADDRESS }));
    await ready(worker);
    const get = (path: string) => fetch(`http://127.0.0.1:${PROVIDER_METRICS_ADDRESS}${path}`);
    await vi.waitFor(async () => expect((await get('/readyz')).status).toBe(200), 20_000);
    expect(await (await get('/readyz')).json()).toEqual({ ready: true, lease: true, temporal: true, grantKeys: true });
    const page = await (await get('/metrics')).text();
    const names = parsePrometheusTextFormat(page).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['workspace_providers_lease_held', 'temporal_num_pollers']));
    expect(page).toContain('\nworkspace_providers_lease_held 1\n');
    worker.child.kill('SIGTERM');
    expect(await worker.exitCode).toBe(0);
    const lines = (await worker.stderr).trim().split('\n');
    for (const line of lines) expect(JSON.parse(line)).toMatchObject({ level: 'info', time: expect.any(String) });
    for (const secret of stage.secrets) expect(page + lines.join('')).not.toContain(secret);
  });

  test('reports that it is ready in one line without secrets, and exits with 0 at SIGTERM', async () => {
    const worker = run(settings({ PROVIDER_TASK_QUEUE: uniqueName('worker') }));
    expect(await ready(worker)).toMatchObject({ event: 'ready', namespace: 'default', platformFallback: 'off' });
    worker.child.kill('SIGTERM');
    expect(await worker.exitCode).toBe(0);
    const printed = (await worker.stdout) + (await worker.stderr);
    for (const secret of stage.secrets) expect(printed).not.toContain(secret);
  });

  test('lets a running step end within the shutdown grace period', async () => {
    const taskQueue = uniqueName('grace');
    const worker = run(settings({ PROVIDER_TASK_QUEUE: taskQueue, PROVIDER_SHUTDOWN_GRACE: '20s' }));
    await ready(worker);
    const hold = stage.services.holdNext({ path: '/v1/messages' });
    const agent = await startAgent(taskQueue);
    await hold.arrived;
    const draining = logged(worker, '"state":"DRAINING"');
    worker.child.kill('SIGTERM');
    await draining;
    expect(worker.child.exitCode).toBeNull();
    hold.release();
    expect(await worker.exitCode).toBe(0);
    const { events = [] } = await agent.fetchHistory();
    const completed = events?.filter((event) => event.activityTaskCompletedEventAttributes) ?? [];
    expect(completed).toHaveLength(1);
    await agent.terminate();
  });

  test('cancels a step that outlives the shutdown grace period, and exits', async () => {
    const taskQueue = uniqueName('no-grace');
    const worker = run(settings({ PROVIDER_TASK_QUEUE: taskQueue, PROVIDER_SHUTDOWN_GRACE: '200ms' }));
    await ready(worker);
    const hold = stage.services.holdNext({ path: '/v1/messages' });
    const agent = await startAgent(taskQueue);
    await hold.arrived;
    worker.child.kill('SIGTERM');
    expect(await worker.exitCode).toBe(0);
    hold.release();
    await agent.terminate();
  });
});
