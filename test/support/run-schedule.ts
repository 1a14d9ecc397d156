import { vi } from 'vitest';
import type { ProviderSchedules, ScheduleName, ScheduleRun } from '../../src/client/provider-schedules.js';

/** Triggers the schedule, and waits until that run ends. */
export async function runSchedule(
  schedules: ProviderSchedules,
  name: ScheduleName,
  timeout = 30_000,
): Promise<ScheduleRun> {
  const lastRun = async () => (await schedules.list()).find((each) => each.name === name)?.lastRun;
  // Two runs within a second share a workflow id, so the start time tells them apart.
  const before = (await lastRun())?.startedAt.getTime();
  await schedules.trigger(name);
  return vi.waitFor(
    async () => {
      const last = await lastRun();
      if (!last || last.startedAt.getTime() === before || last.status === 'RUNNING') throw new Error('not yet');
      return last;
    },
    { timeout, interval: 100 },
  );
}
