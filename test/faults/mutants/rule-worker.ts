/** A real worker of a rule's check: its store, cache, lease and steps, and the manager that changes its provider. */
import { Lease } from '../../../src/fence/lease.js';
import { LeaseKeeper } from '../../../src/fence/lease-keeper.js';
import { createParts } from '../../../src/resolver/connect-parts.js';
import { ProviderResolver } from '../../../src/resolver/provider-resolver.js';
import { openManagementStore } from '../../../src/store/management-store.js';
import type { HeldQuestion } from '../../../src/store/ports.js';
import { row } from '../../store/rows.js';
import { type TestDatabase, withSession } from '../../support/database.js';
import { holdCredential } from '../../support/hold-credential.js';
import type { RuleParts } from './rules.js';

export const PROVIDER = { workspaceId: 'ws_acme', type: 'llm', name: 'anthropic' } as const;
/** Longer than any test, so that time decides nothing. */
const LEASE_MS = 600_000;

export async function ruleWorker(database: TestDatabase, { openStore, outdating }: RuleParts, connections = 5) {
  const manager = openManagementStore({ databaseUrl: database.managerUrl });
  const store = openStore({ databaseUrl: database.resolverUrl, maxConnections: connections });
  const lease = new Lease(LEASE_MS);
  const sealer = { open: async () => JSON.stringify({ apiKey: 'canary-key-of-a-workspace' }) };
  const resolver = ProviderResolver.of(createParts({ store, sealer, lease, fetch }));
  const { cache, scopes } = resolver.parts;
  const facts = { workerId: 'w', taskQueue: 'q', identity: 'i', build: '0' };
  const worker = { ...facts, leaseMs: LEASE_MS, longestStepMs: LEASE_MS };
  const keeper = new LeaseKeeper({
    ...{ store, worker, lease, cache: outdating(cache, scopes), held: () => scopes.outdated() },
  });
  const change = async (workspaceId: string = PROVIDER.workspaceId) => {
    const identity = { ...PROVIDER, workspaceId };
    const { version } = await manager.putProvider(identity, { ...row(crypto.randomUUID()), config: {} });
    return version;
  };
  await change();
  await keeper.renew();
  return {
    ...{ manager, keeper, resolver, scopes, change },
    peek: (workspaceId: string = PROVIDER.workspaceId) => resolver.peek(workspaceId, 'llm', 'anthropic'),
    read: (workspaceId: string = PROVIDER.workspaceId) =>
      resolver.resolveLlmKey({ workspaceId, provider: 'anthropic' }),
    owner: (text: string) => withSession(database.ownerUrl, (session) => session.query(text)),
    /** Changes the provider. @returns what a drain asks after the fence of that change */
    async drainOf(): Promise<HeldQuestion> {
      const version = await change();
      return { provider: PROVIDER, version, epoch: (await manager.readEpoch()).epoch };
    },
    /** Begins a step that holds what is served now. It has ended when the returned function has. */
    async step(): Promise<() => Promise<void>> {
      const reference = await resolver.resolveLlmKey({ workspaceId: PROVIDER.workspaceId, provider: PROVIDER.name });
      return holdCredential(resolver, reference);
    },
    async close(): Promise<void> {
      await keeper.stop();
      await Promise.all([manager.close(), store.close()]);
    },
  };
}

export type RuleWorker = Awaited<ReturnType<typeof ruleWorker>>;

/** A check with a worker, which is closed at the end. */
export function withWorker(
  check: (worker: RuleWorker, database: TestDatabase) => Promise<string | undefined>,
  connections?: number,
) {
  return async (open: () => Promise<TestDatabase>, parts: RuleParts) => {
    const database = await open();
    const worker = await ruleWorker(database, parts, connections);
    try {
      return await check(worker, database);
    } finally {
      await worker.close();
    }
  };
}
