/** Registers workers for the tests of the fence and the janitor. */
import type { FakeRegistry } from '../support/fake-registry.js';

export const LEASE_MS = 1_000;
export const LONGEST_STEP_MS = 5_000;

export async function register(registry: FakeRegistry, ...workerIds: string[]): Promise<void> {
  for (const workerId of workerIds) {
    const facts = { taskQueue: `queue-${workerId}`, identity: `i-${workerId}`, build: '0' };
    await registry.registerWorker({ workerId, ...facts, leaseMs: LEASE_MS, longestStepMs: LONGEST_STEP_MS });
  }
}
