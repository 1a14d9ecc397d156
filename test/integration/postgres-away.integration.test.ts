/** A Postgres outage, on a separate server that is stopped and started again. */
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { WorkspaceProviders } from '../../src/index.js';
import { agentStage, newWorkspace } from '../support/agent-stage.js';
import { startOwnPostgres } from '../support/database.js';
import { uniqueName } from '../support/parts.js';
import { useStage } from '../support/use-stage.js';
import { attemptsIn, pendingFailuresOf } from './history.js';
import { leaksOf } from './leaks.js';
import type { askModel } from './workflows.js';

const stage = useStage(async (teardown) => {
  const postgres = await startOwnPostgres(teardown);
  const agents = await agentStage(teardown, { postgresUrl: postgres.url });
  const key = agents.newKey('platform');
  agents.llm.admit({ provider: 'anthropic', key, owner: 'the platform' });
  // The fallback is allowed, to show that it is not used.
  const env = { ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: agents.llm.baseUrls.anthropic.sdk };
  const config = { fallback: ['llm/anthropic'], env };
  const workflowsPath = fileURLToPath(new URL('workflows.ts', import.meta.url));
  const { taskQueue } = await agents.startWorker({ workflowsPath, config });
  return { ...agents, postgres, taskQueue };
});

const ask = (workspaceId: string) =>
  stage.grants.clientFor(workspaceId).workflow.start<typeof askModel>('askModel', {
    taskQueue: stage.taskQueue,
    workflowId: uniqueName('ask'),
    args: [{ workspaceId, prompt: `What does ${workspaceId} want?` }],
  });

test('an agent waits until Postgres is back, and then completes with the key of its workspace [G17]', async () => {
  const [cold, warm] = [newWorkspace(), newWorkspace()];
  await Promise.all([stage.addLlm(cold), stage.addLlm(warm)]);
  await (await ask(warm)).result();
  await stage.postgres.stop();
  try {
    const agent = await ask(cold);
    const away = {
      type: 'StoreUnavailable',
      nonRetryable: false,
      message: expect.stringContaining('Postgres does not answer'),
    };
    await vi.waitFor(async () => expect(await pendingFailuresOf(agent)).toMatchObject([away]), { timeout: 20_000 });
    expect(await leaksOf(agent, stage.secrets)).toEqual([]);

    // A worker serves its cached entries for the rest of its lease.
    expect((await (await ask(warm)).result()).ref).toMatchObject({ version: 1, cache: 'hit' });

    await expect(WorkspaceProviders.connect(stage.config())).rejects.toMatchObject({ type: 'StoreUnavailable' });

    await stage.postgres.restart();
    expect((await agent.result()).ref).toMatchObject({ version: 1, source: 'workspace' });
    const [resolve] = attemptsIn(await agent.fetchHistory());
    expect(resolve?.attempt).toBeGreaterThan(1);
    expect(resolve?.lastFailure).toMatchObject(away);
    expect(await leaksOf(agent, stage.secrets)).toEqual([]);
    expect(stage.llm.wrongKeyCalls()).toEqual([]);
  } finally {
    await stage.postgres.restart();
  }
});
