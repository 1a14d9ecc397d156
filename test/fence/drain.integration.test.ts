/** The drain on a real Postgres: real workers' caches and leases, of processes that run no worker. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ProviderOptions } from '../../src/config/resolver-config.js';
import type { ProviderIdentity } from '../../src/protocol/references.js';
import { type ManagementStore, openManagementStore } from '../../src/store/management-store.js';
import type { HeldQuestion } from '../../src/store/ports.js';
import { newWorkspace, useAgentStage } from '../support/agent-stage.js';
import { holdCredential } from '../support/hold-credential.js';
import { registerSilentWorker } from '../support/silent-worker.js';

const stage = useAgentStage();
let store: ManagementStore;
beforeAll(() => {
  const { managerUrl, store: options } = stage.database;
  store = openManagementStore({ databaseUrl: managerUrl, ...options });
});
afterAll(() => store?.close());

async function connect(change: ProviderOptions) {
  const providers = await stage.connect(change);
  return { resolver: providers.resolver, close: () => providers.close() };
}

async function provider(): Promise<ProviderIdentity> {
  const workspaceId = newWorkspace();
  await stage.addLlm(workspaceId);
  return { workspaceId, type: 'llm', name: 'anthropic' };
}

/** A step of a process of its own, which runs no worker. */
async function stepOf({ workspaceId, name }: ProviderIdentity, identity: string, lease: '10m' | '300ms' = '10m') {
  const { resolver, close } = await connect({ identity, lease });
  const reference = await resolver.resolveLlmKey({ workspaceId, provider: name });
  return { end: await holdCredential(resolver, reference), close };
}

const update = (identity: ProviderIdentity, model: string) =>
  stage.manager.updateProvider({ ...identity, config: { model } });
const ask = (question: HeldQuestion) => store.listHolders(question);
const holding = (identity: string, version: number) =>
  expect.objectContaining({ identity, held: [{ version, count: 1, longestMs: expect.any(Number) }] });

describe('a change reports the steps of other processes that still hold what it replaced', () => {
  it.each<[string, (identity: ProviderIdentity) => Promise<{ holders?: readonly unknown[] }>]>([
    ['update', (identity) => update(identity, 'claude-haiku-4-5')],
    [
      'configure',
      (identity) => stage.manager.configureProvider({ ...identity, secret: { apiKey: 'canary-1234567890-abcd' } }),
    ],
    ['disable', (identity) => stage.manager.disableProvider(identity)],
    ['remove', (identity) => stage.manager.removeProvider(identity)],
    ['shred', ({ workspaceId }) => stage.manager.shredWorkspace(workspaceId)],
  ])('%s', async (what, change) => {
    const [changed, other] = [await provider(), await provider()];
    const steps = [await stepOf(changed, `${what}-agent`), await stepOf(other, `${what}-other`)];
    expect((await change(changed)).holders).toEqual([holding(`${what}-agent`, 1)]);
    for (const { end, close } of steps) {
      await end();
      await close();
    }
  });

  it('but not those that began after it, nor its own version', async () => {
    const changed = await provider();
    const { version } = await update(changed, 'claude-haiku-4-5');
    const step = await stepOf(changed, 'later-agent');
    const { fence } = await update(await provider(), 'claude-haiku-4-5');
    const epoch = fence?.epoch ?? 0;
    expect(await ask({ provider: changed, version, epoch })).toEqual([]);
    const again = await update(changed, 'claude-sonnet-5-5');
    expect(again.holders, 'now it is older').toEqual([holding('later-agent', version)]);
    expect(await ask({ provider: changed, version, epoch: again.fence?.epoch ?? 0 })).toEqual([]);
    await step.end();
    await step.close();
  });
});

describe('a process that runs no worker', () => {
  it('is clear as soon as its step has ended, long before its next regular renewal', async () => {
    const changed = await provider();
    const step = await stepOf(changed, 'api-1');
    const { version, fence } = await update(changed, 'claude-haiku-4-5');
    const question = { provider: changed, version, epoch: fence?.epoch ?? 0 };
    expect(await ask(question)).toHaveLength(1);
    await step.end();
    await vi.waitFor(async () => expect(await ask(question)).toEqual([]), 5_000);
    await step.close();
  });

  it('is clear if it has ended, and if it had renewed after the change with nothing older', async () => {
    const changed = await provider();
    const { resolver, close } = await connect({ identity: 'api-2', lease: '10m' });
    await resolver.resolveLlmKey({ workspaceId: changed.workspaceId, provider: 'anthropic' });
    const { holders } = await update(changed, 'claude-haiku-4-5');
    expect(holders).toEqual([]);
    await close();
    expect((await update(changed, 'claude-sonnet-5-5')).holders).toEqual([]);
  });

  it('that did not renew after the change counts as a holder of everything', async () => {
    const changed = await provider();
    await registerSilentWorker(stage.database, 300);
    const { holders } = await update(changed, 'claude-haiku-4-5');
    expect(holders).toEqual([expect.objectContaining({ identity: 'agents-9', held: [] })]);
  });

  it('that holds more than fits its row counts as a holder of everything', async () => {
    const changed = await provider();
    const { resolver, close } = await connect({ identity: 'api-3', lease: '10m' });
    const reference = await resolver.resolveLlmKey({ workspaceId: changed.workspaceId, provider: 'anthropic' });
    const { scopes } = resolver.parts;
    const open = Array.from({ length: 201 }, (_, index) => scopes.hold({ ...reference, name: `n-${index}` }));
    const { holders } = await update(changed, 'claude-haiku-4-5');
    expect(holders).toEqual([expect.objectContaining({ identity: 'api-3', held: [] })]);
    for (const scope of open) scope.release();
    await close();
  });
});
