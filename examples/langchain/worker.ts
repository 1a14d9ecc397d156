import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';
import { hardenProcess, WorkspaceProviders } from 'workspace-providers';
import * as activities from './activities.js';

hardenProcess();
const { TEMPORAL_ADDRESS, TASK_QUEUE = 'agents' } = process.env;

const connection = await NativeConnection.connect({ address: TEMPORAL_ADDRESS });
try {
  const providers = await WorkspaceProviders.connect();
  const worker = await Worker.create({
    connection,
    taskQueue: TASK_QUEUE,
    workflowsPath: fileURLToPath(new URL('workflows.ts', import.meta.url)),
    activities,
    plugins: [providers.plugin()],
  });
  await worker.run();
} finally {
  await connection.close();
}
