/**
 * Asks a model through the example worker of `workspace-providers dev`, in the name of a workspace:
 *
 *     node --env-file=.workspace-providers/dev/starter.env start.js ws_acme anthropic 'Say hello.'
 */
import { randomUUID } from 'node:crypto';
import { Client, Connection, WorkflowFailedError } from '@temporalio/client';
import { GrantSigner, WorkspaceGrants } from 'workspace-providers/client';

const { TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, PROVIDER_GRANT_SIGNING_KEY = '' } = process.env;
const [workspaceId, provider, prompt] = process.argv.slice(2);
if (!workspaceId || !provider || !prompt) {
  console.error("usage: start.js <workspace> <llm provider> '<question>'");
  process.exit(2);
}

const connection = await Connection.connect({ address: TEMPORAL_ADDRESS });
const client = new Client({ connection, namespace: TEMPORAL_NAMESPACE });
const grants = new WorkspaceGrants(client, new GrantSigner(PROVIDER_GRANT_SIGNING_KEY));
try {
  const answer = await grants.clientFor(workspaceId).workflow.execute('askModel', {
    taskQueue: process.env.AGENT_TASK_QUEUE ?? 'dev-example',
    workflowId: `${workspaceId}/ask-${randomUUID().slice(0, 8)}`,
    args: [{ provider, prompt }],
  });
  console.log(answer);
} catch (error) {
  if (!(error instanceof WorkflowFailedError)) throw error;
  console.error(causeOf(error).message);
  process.exitCode = 1;
} finally {
  await connection.close();
}

/** Temporal wraps what an activity reports. */
function causeOf(error) {
  return error.cause instanceof Error ? causeOf(error.cause) : error;
}
