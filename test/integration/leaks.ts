/**
 * Searches what Temporal's server keeps of a workflow for secrets. The encoded bytes are searched: their JSON holds
 * payloads as base64, in which nothing would be found. `leaks.test.ts` shows that it finds what is there.
 */
import type { WorkflowHandle } from '@temporalio/client';
import proto from '@temporalio/proto';
import { leaksIn } from '../../testbed/secret-search.js';

const { History } = proto.temporal.api.history.v1;
const { DescribeWorkflowExecutionResponse } = proto.temporal.api.workflowservice.v1;

/**
 * The secrets that stand in a workflow's history, or in what `describe` tells: memo, search attributes, and the last
 * failure and heartbeat of activities that are still being retried.
 */
export async function leaksOf(workflow: WorkflowHandle, secrets: readonly string[]): Promise<string[]> {
  const [history, description] = await Promise.all([workflow.fetchHistory(), workflow.describe()]);
  const kept = Buffer.concat([
    History.encode(history).finish(),
    DescribeWorkflowExecutionResponse.encode(description.raw).finish(),
  ]);
  return leaksIn(kept, secrets);
}
