/** A resolver in a program that is not a worker: connected to a real Postgres, and closed by the program. */
import Anthropic from '@anthropic-ai/sdk';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ProviderResolver, type ResolverOptions } from '../../src/index.js';
import { newWorkspace, useAgentStage } from '../support/agent-stage.js';

const stage = useAgentStage({ answer: ({ owner }) => `an answer for ${owner}` });

/** The options of a program, without grants and without Temporal. */
function options(change: ResolverOptions = {}): ResolverOptions {
  const { grantKeys: _, ...others } = stage.config();
  return { ...others, ...change };
}

async function connected(change?: ResolverOptions): Promise<ProviderResolver> {
  const resolver = await ProviderResolver.connect(options(change));
  onTestFinished(() => resolver.close());
  return resolver;
}

describe('a connected resolver', () => {
  test("resolves and opens a workspace's credential, and calls the service with it", async () => {
    const workspaceId = newWorkspace();
    await stage.addLlm(workspaceId);
    const resolver = await connected();
    const reference = await resolver.resolveLlmKey({ workspaceId, provider: 'anthropic' });
    expect(reference).toMatchObject({ workspaceId, name: 'anthropic', version: 1, cache: 'miss' });
    const answer = await resolver.withProvider(reference, async ({ credential, fetch, use }) => {
      expect(use).toMatchObject({ version: 1, cache: 'hit' });
      const anthropic = new Anthropic({ apiKey: credential.apiKey, baseURL: credential.baseURL, fetch });
      const message = {
        model: 'claude-sonnet-5-5',
        max_tokens: 10,
        messages: [{ role: 'user' as const, content: 'Hi.' }],
      };
      return (await anthropic.messages.create(message)).content;
    });
    expect(answer).toMatchObject([{ type: 'text', text: `an answer for ${workspaceId}` }]);
  });

  test('is waited for by a fence: after a change is reported as complete, it serves that change', async () => {
    const workspaceId = newWorkspace();
    await stage.addLlm(workspaceId);
    const resolver = await connected();
    const resolve = () => resolver.resolveLlmKey({ workspaceId, provider: 'anthropic' });
    await resolve();
    const { version, fence } = await stage.manager.updateProvider({
      ...{ workspaceId, type: 'llm', name: 'anthropic', config: { model: 'claude-opus-5' } },
    });
    expect(fence).toMatchObject({ complete: true, workers: [{ outcome: 'applied' }] });
    expect(await resolve()).toMatchObject({ version });
  });

  test('records its uses for the audit without a workflow', async () => {
    const workspaceId = newWorkspace();
    await stage.addLlm(workspaceId);
    const resolver = await connected();
    const reference = await resolver.resolveLlmKey({ workspaceId, provider: 'anthropic' });
    await resolver.withProvider(reference, async () => {});
    await resolver.close();
    const [use, ...others] = await stage.manager.audit.listUsage({ workspaceId, type: 'llm', name: 'anthropic' });
    expect(others).toEqual([]);
    expect(use).toMatchObject({ version: 1, count: 1 });
    expect(use).not.toHaveProperty('workflowId');
  });
});

describe('a closed resolver', () => {
  test('has given its lease back and forgotten every credential', async () => {
    const workspaceId = newWorkspace();
    await stage.addLlm(workspaceId);
    const resolver = await connected({ identity: 'a-program' });
    const holdsLease = async () => (await stage.manager.listWorkers()).some(({ identity }) => identity === 'a-program');
    const reference = await resolver.resolveLlmKey({ workspaceId, provider: 'anthropic' });
    expect(await holdsLease()).toBe(true);

    await resolver.close();
    await resolver.close();
    expect(await holdsLease()).toBe(false);
    expect(resolver.peek(workspaceId, 'llm', 'anthropic')).toBeUndefined();
    await expect(resolver.withProvider(reference, async () => 'never')).rejects.toMatchObject({
      type: 'StoreUnavailable',
    });
  });
});

describe('a resolver that cannot connect', () => {
  test.each([
    ['a manager’s login', () => ({ databaseUrl: stage.database.managerUrl }), 'SetupInvalid'],
    ['a superuser', () => ({ databaseUrl: stage.database.ownerUrl }), 'SetupInvalid'],
    ['no root key', () => ({ rootKeys: undefined }), 'SetupInvalid'],
    [
      'Postgres is down',
      () => ({ databaseUrl: 'postgres://worker:canary-password@127.0.0.1:1/agents' }),
      'StoreUnavailable',
    ],
  ])('reports the reason and leaves no lease behind: %s', async (_, change, type) => {
    const connecting = ProviderResolver.connect(options(change()));
    await expect(connecting).rejects.toMatchObject({ type, message: expect.not.stringContaining('canary') });
    expect(await stage.manager.listWorkers()).toEqual([]);
  });
});

// The last one, because its worker stays listed.
test('a resolver that is closed while a callback has a secret stays a holder of it [G16]', async () => {
  const workspaceId = newWorkspace();
  await stage.addLlm(workspaceId);
  const resolver = await connected({ identity: 'a-holder' });
  const reference = await resolver.resolveLlmKey({ workspaceId, provider: 'anthropic' });
  await resolver.withProvider(reference, async ({ reveal }) => {
    await reveal();
    await resolver.close();
  });
  expect((await stage.manager.listWorkers()).map(({ identity }) => identity)).toContain('a-holder');
});
