/**
 * Searches what Temporal's server stores of a workflow for secrets. It searches the encoded bytes, because their JSON
 * contains payloads as base64, which would hide a secret. `failures.integration.test.ts` tests the search itself.
 */
import type { WorkflowHandle } from '@temporalio/client';
import proto from '@temporalio/proto';
import { leaksIn } from '../../testbed/secret-search.js';

const { History } = proto.temporal.api.history.v1;
const { DescribeWorkflowExecutionResponse } = proto.temporal.api.workflowservice.v1;

/**
 * Returns the secrets that are in a workflow's history or in the result of `describe`: memo, search attributes, and the
 * last failure and heartbeat of activities that are still retried.
 */
export async function leaksOf(workflow: WorkflowHandle, secrets: readonly string[]): Promise<string[]> {
  const [history, description] = await Promise.all([workflow.fetchHistory(), workflow.describe()]);
  const kept = Buffer.concat([
    History.encode(history).finish(),
    DescribeWorkflowExecutionResponse.encode(description.raw).finish(),
  ]);
  return leaksIn(kept, secrets);
}
