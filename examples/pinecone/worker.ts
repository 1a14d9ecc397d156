import { NativeConnection, Worker } from '@temporalio/worker';
import { hardenProcess, WorkspaceProviders } from 'workspace-providers';
import * as activities from './activities';
import { pinecone } from './provider-types';

hardenProcess();
const { TEMPORAL_ADDRESS, TASK_QUEUE = 'search' } = process.env;

async function main() {
  const connection = await NativeConnection.connect({ address: TEMPORAL_ADDRESS });
  try {
    const providers = await WorkspaceProviders.connect({ types: [pinecone] });
    const workflowsPath = require.resolve('./workflows');
    const plugins = [providers.plugin()];
    const worker = await Worker.create({ connection, taskQueue: TASK_QUEUE, workflowsPath, activities, plugins });
    await worker.run();
  } finally {
    await connection.close();
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
