/** A worker that bundles its workflows, or runs a prebuilt bundle; with a build id, one version of a deployment. */
import { NativeConnection, Worker } from '@temporalio/worker';
import { WorkspaceProviders } from 'workspace-providers';
import { createActivities } from './activities';

const { TEMPORAL_ADDRESS, TASK_QUEUE = '', BUNDLE, BUILD_ID } = process.env;

async function main() {
  const connection = await NativeConnection.connect({ address: TEMPORAL_ADDRESS });
  try {
    const providers = await WorkspaceProviders.connect();
    const worker = await Worker.create({
      connection,
      taskQueue: TASK_QUEUE,
      ...(BUNDLE ? { workflowBundle: { codePath: BUNDLE } } : { workflowsPath: require.resolve('./workflows') }),
      activities: createActivities({ nameOf: async (workspace) => workspace.toUpperCase() }),
      plugins: [providers.plugin()],
      ...(BUILD_ID && {
        workerDeploymentOptions: {
          version: { deploymentName: TASK_QUEUE, buildId: BUILD_ID },
          useWorkerVersioning: true,
          defaultVersioningBehavior: 'PINNED',
        },
      }),
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
