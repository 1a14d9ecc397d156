/** Replaces the schedule, because the test server does not support schedules. */
import { executeChild, proxyActivities, sleep } from '@temporalio/workflow';
import type { OperationActivities } from '../../../src/activities/rotation-activities.js';
import type { RotateProviderInput } from '../../../src/protocol/rotation.js';
import type { RotateDueTotals } from '../../../src/protocol/schedules.js';
import { rotateDueProviders } from '../../../src/workflows/schedules/rotate-due-providers.js';

export { rotateDueProviders };

/**
 * Replaces the real rotation, which has its own tests. The real one cancels activities, and the test server loses a
 * workflow that cancels an activity at the moment when the activity ends.
 */
export async function rotateProvider({ rotationId }: RotateProviderInput): Promise<void> {
  const { activateNextCredential } = proxyActivities<OperationActivities>({ startToCloseTimeout: '10 seconds' });
  await activateNextCredential({ rotationId });
}

/** Runs the workflow once per day. @returns the totals of each run */
export async function daily(days: number): Promise<RotateDueTotals[]> {
  const runs: RotateDueTotals[] = [];
  for (let day = 1; day <= days; day += 1) {
    await sleep('1 day');
    runs.push(await executeChild(rotateDueProviders, { args: [{}] }));
  }
  return runs;
}
