/** Replays a workflow's history, as a test of changed workflow code does: with the plugin, and without its id. */
import { Client, Connection } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { WorkspaceProviders } from 'workspace-providers';

async function replay() {
  const connection = await Connection.connect({ address: process.env.TEMPORAL_ADDRESS });
  const history = await new Client({ connection }).workflow.getHandle(process.env.WORKFLOW_ID ?? '').fetchHistory();
  const plugins = [WorkspaceProviders.workflowPlugin()];
  await Worker.runReplayHistory({ workflowsPath: require.resolve('./workflows'), plugins }, history);
  await connection.close();
}

replay().catch((error) => {
  console.error(error);
  process.exit(1);
});
