/** A namespace of its own on the Temporal of the test run, for queues and ids that a page prints. */
import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { temporalAddress, uniqueName } from '../support/parts.js';

export async function newNamespace(what: string): Promise<string> {
  const connection = await Connection.connect({ address: temporalAddress() });
  const namespace = uniqueName(what);
  const workflowExecutionRetentionPeriod = msToTs('1 day');
  await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod });
  await connection.close();
  return namespace;
}
