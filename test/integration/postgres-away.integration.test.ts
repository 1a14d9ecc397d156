/** Postgres is away, on a server of this file's own that is stopped and started again. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type PostgresPart, startPostgres } from '../../src/dev/postgres.js';
import { WorkspaceProviders } from '../../src/index.js';
import { newWorkspace, useAgentStage } from '../support/agent-stage.js';
import { uniqueName } from '../support/parts.js';
import { attemptsIn, pendingFailuresOf } from './history.js';
import { leaksOf } from './leaks.js';
import type { askModel } from './workflows.js';

let dataFolder: string;
let postgres: PostgresPart;
const stage = useAgentStage({ postgresUrl: postgres.url });
let taskQueue: string;

beforeAll(async () => {
  dataFolder = await mkdtemp(join(tmpdir(), 'workspace-providers-away-'));
  postgres = await startPostgres({ dataFolder });
  const key = stage.newKey('platform');
  stage.llm.admit({ provider: 'anthropic', key, owner: 'the platform' });
  // Allowed, so that it is seen not to serve.
  const env = { ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: stage.llm.baseUrls.anthropic.sdk };
  const config = { fallback: ['llm/anthropic'], env };
  const workflowsPath = fileURLToPath(new URL('workflows.ts', import.meta.url));
  ({ taskQueue } = await stage.startWorker({ workflowsPath, config }));
});

afterAll(async () => {
  await postgres?.stop();
  if (dataFolder) await rm(dataFolder, { recursive: true, force: true });
});

const comeBack = async () => {
  postgres = await startPostgres({ dataFolder, port: postgres.port });
};

const ask = (workspaceId: string) =>
  stage.grants.clientFor(workspaceId).workflow.start<typeof askModel>('askModel', {
    taskQueue,
    workflowId: uniqueName('ask'),
    args: [{ workspaceId, prompt: `What does ${workspaceId} want?` }],
  });

test('an agent waits until Postgres is back, and then completes with the key of its workspace', async () => {
  const [cold, warm] = [newWorkspace(), newWorkspace()];
  await Promise.all([stage.addLlm(cold), stage.addLlm(warm)]);
  await (await ask(warm)).result();
  await postgres.stop();
  try {
    const agent = await ask(cold);
    const away = { type: 'StoreUnavailable', nonRetryable: false, message: 'Postgres does not answer' };
    await vi.waitFor(async () => expect(await pendingFailuresOf(agent)).toMatchObject([away]), { timeout: 20_000 });
    expect(await leaksOf(agent, stage.secrets)).toEqual([]);

    // What a worker holds serves on, for the rest of its lease.
    expect((await (await ask(warm)).result()).ref).toMatchObject({ version: 1, cache: 'hit' });

    await expect(WorkspaceProviders.connect(stage.config())).rejects.toMatchObject({ type: 'StoreUnavailable' });

    await comeBack();
    expect((await agent.result()).ref).toMatchObject({ version: 1, source: 'workspace' });
    const [resolve] = attemptsIn(await agent.fetchHistory());
    expect(resolve?.attempt).toBeGreaterThan(1);
    expect(resolve?.lastFailure).toMatchObject(away);
    expect(await leaksOf(agent, stage.secrets)).toEqual([]);
    expect(stage.llm.wrongKeyCalls()).toEqual([]);
  } catch (error) {
    await comeBack().catch(() => undefined);
    throw error;
  }
});
