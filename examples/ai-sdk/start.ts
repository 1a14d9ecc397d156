/**
 * Asks the agent in the name of a workspace, whose key pays for the answer:
 *
 *     npx tsx --env-file=.workspace-providers/dev/starter.env start.ts ws_acme 'What is the weather in Oslo?'
 */
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { GrantSigner, WorkspaceGrants } from 'workspace-providers/client';

const { TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TASK_QUEUE = 'agents', PROVIDER_GRANT_SIGNING_KEY = '' } = process.env;

async function main([workspaceId, question]: readonly string[]) {
  if (!workspaceId || !question) throw new Error("usage: start.ts <workspace> '<question>'");
  const connection = await Connection.connect({ address: TEMPORAL_ADDRESS });
  try {
    const client = new Client({ connection, namespace: TEMPORAL_NAMESPACE });
    const grants = new WorkspaceGrants(client, new GrantSigner(PROVIDER_GRANT_SIGNING_KEY));
    const workflowId = `${workspaceId}/assistant-${randomUUID()}`;
    const options = { taskQueue: TASK_QUEUE, workflowId, args: [question] };
    console.log(await grants.clientFor(workspaceId).workflow.execute('assistant', options));
  } finally {
    await connection.close();
  }
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exit(1);
});
