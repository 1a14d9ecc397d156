import { AiSdkPlugin } from '@temporalio/ai-sdk';
import { NativeConnection, Worker } from '@temporalio/worker';
import { hardenProcess, WorkspaceProviders } from 'workspace-providers';
import { workspaceModels } from 'workspace-providers/ai-sdk';
import * as activities from './activities';

hardenProcess();
const { TEMPORAL_ADDRESS, TASK_QUEUE = 'agents' } = process.env;

async function main() {
  const connection = await NativeConnection.connect({ address: TEMPORAL_ADDRESS });
  try {
    const providers = await WorkspaceProviders.connect();
    const worker = await Worker.create({
      connection,
      taskQueue: TASK_QUEUE,
      workflowsPath: require.resolve('./workflows'),
      activities,
      plugins: [new AiSdkPlugin({ modelProvider: workspaceModels() }), providers.plugin()],
    });
    await worker.run();
  } finally {
    await connection.close();
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
