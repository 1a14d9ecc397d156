/** A worker that took its lease and fell silent: a fence waits until the lease has expired. */
import { onTestFinished } from 'vitest';
import { openProviderStore } from '../../src/store/provider-store.js';
import type { TestDatabase } from './database.js';
import { uniqueName } from './parts.js';

/** Registers it for the length of the test, as `agents-9`: after its lease, no fence waits for it again. */
export async function registerSilentWorker({ resolverUrl, store }: TestDatabase, leaseMs: number): Promise<void> {
  const workers = openProviderStore({ databaseUrl: resolverUrl, ...store });
  const workerId = uniqueName('worker');
  const facts = { taskQueue: 'none', identity: 'agents-9', build: 'test' };
  await workers.registerWorker({ workerId, ...facts, leaseMs, longestStepMs: 1_000 });
  onTestFinished(async () => {
    await workers.deregisterWorker(workerId);
    await workers.close();
  });
}
