/** Plays the schedule: the test server has none. */
import { executeChild, proxyActivities, sleep } from '@temporalio/workflow';
import type { OperationActivities } from '../../../src/activities/rotation-activities.js';
import type { RotateProviderInput } from '../../../src/protocol/rotation.js';
import type { RotateDueTotals } from '../../../src/protocol/schedules.js';
import { rotateDueProviders } from '../../../src/workflows/schedules/rotate-due-providers.js';

export { rotateDueProviders };

/**
 * In the place of the real one, of which rotations' own tests speak: it cancels what it has asked for, and the test
 * server loses a workflow that cancels an activity at the moment of its end.
 */
export async function rotateProvider({ rotationId }: RotateProviderInput): Promise<void> {
  const { activateNextCredential } = proxyActivities<OperationActivities>({ startToCloseTimeout: '10 seconds' });
  await activateNextCredential({ rotationId });
}

/** What each day's run came to. */
export async function daily(days: number): Promise<RotateDueTotals[]> {
  const runs: RotateDueTotals[] = [];
  for (let day = 1; day <= days; day += 1) {
    await sleep('1 day');
    runs.push(await executeChild(rotateDueProviders, { args: [{}] }));
  }
  return runs;
}
