/** A run of `rotate-due` by a schedule of a test's own: the package's has one id per namespace, which test files share. */
import type { Client } from '@temporalio/client';
import { vi } from 'vitest';
import { ROTATE_DUE_PROVIDERS, type RotateDueTotals } from '../../src/protocol/schedules.js';
import { uniqueName } from './parts.js';

export async function rotateDueOnce(operator: Client, taskQueue: string): Promise<RotateDueTotals> {
  const id = uniqueName('rotate-due');
  const schedule = await operator.schedule.create({
    scheduleId: id,
    spec: {},
    action: { type: 'startWorkflow', workflowType: ROTATE_DUE_PROVIDERS, workflowId: id, taskQueue, args: [{}] },
  });
  await schedule.trigger();
  const workflowId = await vi.waitFor(
    async () => {
      const [run] = (await schedule.describe()).info.recentActions;
      if (!run) throw new Error('the schedule has not run yet');
      return run.action.workflow.workflowId;
    },
    { timeout: 20_000, interval: 100 },
  );
  const totals = (await operator.workflow.getHandle(workflowId).result()) as RotateDueTotals;
  await schedule.delete();
  return totals;
}
