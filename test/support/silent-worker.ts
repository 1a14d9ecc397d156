/** A worker that holds a lease and is silent, so that a fence waits until the lease has expired. */
import { onTestFinished } from 'vitest';
import { openProviderStore } from '../../src/store/provider-store.js';
import type { TestDatabase } from './database.js';
import { uniqueName } from './parts.js';

/** Registers it as `agents-9` until the test ends. After its lease has expired, no fence waits for it again. */
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
