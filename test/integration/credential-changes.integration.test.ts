/** Which credential a running agent uses when it changes. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { newWorkspace, type StageWorker, UNFENCED, useAgentStage } from '../support/agent-stage.js';
import { uniqueName } from '../support/parts.js';
import { failureOf, summariesOf } from './history.js';
import { leaksOf } from './leaks.js';
import { type askModel, type askSleepAsk, goOn, type ModelQuestion } from './workflows.js';

const stage = useAgentStage();
let worker: StageWorker;

beforeAll(async () => {
  const workflowsPath = fileURLToPath(new URL('workflows.ts', import.meta.url));
  // Without notifications, it learns of changes after a third of its lease, and holds outdated entries until then.
  worker = await stage.startWorker({ workflowsPath, config: { listenDatabaseUrl: 'off' } });
});

afterAll(async () => {
  vi.unstubAllEnvs();
});

const questionOf = (workspaceId: string): ModelQuestion => ({ workspaceId, prompt: `What does ${workspaceId} want?` });

function ask(workspaceId: string, question: Partial<ModelQuestion> = {}) {
  return stage.grants.clientFor(workspaceId).workflow.start<typeof askModel>('askModel', {
    taskQueue: worker.taskQueue,
    workflowId: uniqueName('ask'),
    args: [{ ...questionOf(workspaceId), ...question }],
  });
}

/** What the service saw of a workspace's calls: whose key each came with, and the answer. */
const answersTo = (workspaceId: string) =>
  stage.llm
    .calls()
    .filter(({ expectedOwner }) => expectedOwner === workspaceId)
    .map(({ owner, status }) => `${owner} ${status}`);

const loads = () => worker.providers.resolver.parts.cache.counts.load;

describe('a cached key that the service rejects', () => {
  test('is read again once, and the same step uses the new key', async () => {
    const workspaceId = newWorkspace();
    const old = await stage.addLlm(workspaceId);
    await (await ask(workspaceId)).result();
    await stage.addLlm(workspaceId);
    stage.llm.revoke(old);
    const before = loads();

    const agent = await ask(workspaceId);
    const { ref, provider } = await agent.result();
    expect(ref).toMatchObject({ version: 1, cache: 'hit' });
    expect(provider).toMatchObject({ version: 2, cache: 'miss' });
    expect(loads() - before).toBe(1);
    expect(answersTo(workspaceId)).toEqual([`${workspaceId} 200`, `${workspaceId} 401`, `${workspaceId} 200`]);
    expect(await leaksOf(agent, stage.secrets)).toEqual([]);
  });

  test('is read again once, and the step fails with CredentialRejected if there is no new key', async () => {
    const workspaceId = newWorkspace();
    const old = await stage.addLlm(workspaceId);
    await (await ask(workspaceId)).result();
    stage.llm.revoke(old);
    const before = loads();

    expect(await failureOf(await ask(workspaceId))).toMatchObject({ type: 'CredentialRejected', nonRetryable: true });
    expect(loads() - before).toBe(1);
    expect(answersTo(workspaceId)).toEqual([`${workspaceId} 200`, `${workspaceId} 401`]);
  });

  test('is read again only once: if the new key is rejected too, the step fails', async () => {
    const workspaceId = newWorkspace();
    const old = await stage.addLlm(workspaceId);
    await (await ask(workspaceId)).result();
    stage.llm.revoke(old);
    await stage.addLlm(workspaceId, 'anthropic', { admitted: false });

    expect(await failureOf(await ask(workspaceId))).toMatchObject({ type: 'CredentialRejected', nonRetryable: true });
    expect(answersTo(workspaceId)).toEqual([`${workspaceId} 200`, `${workspaceId} 401`, 'unknown-key 401']);
  });
});

test('an agent that slept opens the newest version with its old reference', async () => {
  const { taskQueue, providers } = await stage.startWorker();
  const workspaceId = newWorkspace();
  await stage.addLlm(workspaceId);
  const agent = await stage.grants.clientFor(workspaceId).workflow.start<typeof askSleepAsk>('askSleepAsk', {
    taskQueue: worker.taskQueue,
    workflowId: uniqueName('sleeper'),
    args: [{ ...questionOf(workspaceId), resolveOptions: { taskQueue }, stepOptions: { taskQueue } }],
  });
  await vi.waitFor(() => expect(answersTo(workspaceId)).toHaveLength(1), { timeout: 20_000 });
  await stage.addLlm(workspaceId);
  const isCached = () => providers.resolver.peek(workspaceId, 'llm', 'anthropic') !== undefined;
  await vi.waitFor(() => expect(isCached()).toBe(false), { timeout: 10_000 });
  await agent.signal(goOn);

  const [first, second] = await agent.result();
  expect(first.provider).toMatchObject({ version: 1 });
  expect(second.provider).toMatchObject({ version: 2, cache: 'miss' });
  expect(await leaksOf(agent, stage.secrets)).toEqual([]);
});

describe("the platform's key", () => {
  /** Starts a worker that may fall back to the platform's key. */
  async function platformWorker() {
    const key = stage.newKey('platform');
    stage.llm.admit({ provider: 'anthropic', key, owner: 'the platform' });
    const env = { ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: stage.llm.baseUrls.anthropic.sdk };
    const config = { fallback: ['llm/anthropic'], env };
    const { taskQueue } = await stage.startWorker({ config });
    const options = { resolveOptions: { taskQueue }, stepOptions: { taskQueue }, model: 'claude-sonnet-5-5' };
    return { key, env, options };
  }

  test('is not used without the setting, even if it is in the environment', async () => {
    const { env } = await platformWorker();
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    const workspaceId = newWorkspace();
    expect(await failureOf(await ask(workspaceId))).toMatchObject({ type: 'ProviderNotConfigured' });
    expect(answersTo(workspaceId)).toEqual([]);
  });

  test('is used with the setting for a workspace without a key, and is named at each step', async () => {
    const { options } = await platformWorker();
    const workspaceId = newWorkspace();
    const agent = await ask(workspaceId, options);
    const { ref, provider } = await agent.result();
    expect(ref).toMatchObject({ workspaceId, name: 'anthropic', version: 0, source: 'platform' });
    expect(provider).toEqual({ name: 'anthropic', version: 0, source: 'platform', cache: 'hit' });
    expect(summariesOf(await agent.fetchHistory())[1]).toBe(`anthropic for ${workspaceId} · the platform's key`);
    expect(answersTo(workspaceId)).toEqual(['the platform 200']);
    expect(await leaksOf(agent, stage.secrets)).toEqual([]);
  });

  test('is not used if the workspace has its own key', async () => {
    const { options } = await platformWorker();
    const workspaceId = newWorkspace();
    await stage.addLlm(workspaceId);
    expect((await (await ask(workspaceId, options)).result()).provider.source).toBe('workspace');
    expect(answersTo(workspaceId)).toEqual([`${workspaceId} 200`]);
  });

  test("does not replace a workspace's key that is disabled or rejected", async () => {
    const { options } = await platformWorker();
    const disabled = newWorkspace();
    await stage.addLlm(disabled);
    await stage.manager.disableProvider({ workspaceId: disabled, type: 'llm', name: 'anthropic' }, UNFENCED);
    expect(await failureOf(await ask(disabled, options))).toMatchObject({ type: 'ProviderDisabled' });

    const refused = newWorkspace();
    await stage.addLlm(refused, 'anthropic', { admitted: false });
    expect(await failureOf(await ask(refused, options))).toMatchObject({ type: 'CredentialRejected' });
    expect([answersTo(disabled), answersTo(refused)]).toEqual([[], ['unknown-key 401']]);
  });

  test('fails the step with CredentialRejected if the service rejects it', async () => {
    const { key, options } = await platformWorker();
    stage.llm.revoke(key);
    const workspaceId = newWorkspace();
    const agent = await ask(workspaceId, options);
    expect(await failureOf(agent)).toMatchObject({ type: 'CredentialRejected', nonRetryable: true });
    expect(answersTo(workspaceId)).toEqual(['the platform 401']);
    expect(await leaksOf(agent, stage.secrets)).toEqual([]);
  });
});
