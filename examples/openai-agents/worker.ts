import { OpenAIAgentsPlugin } from '@temporalio/openai-agents';
import { NativeConnection, Worker } from '@temporalio/worker';
import { hardenProcess, WorkspaceProviders } from 'workspace-providers';
import { workspaceAgentModels } from 'workspace-providers/openai-agents';
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
      plugins: [new OpenAIAgentsPlugin({ modelProvider: workspaceAgentModels() }), providers.plugin()],
      // As in Temporal's sample: the ES modules of the SDK are loaded on demand, which a workflow cannot do.
      bundlerOptions: {
        webpackConfigHook: (config) => ({
          ...config,
          resolve: { ...config.resolve, conditionNames: ['require', 'browser', 'default'] },
        }),
      },
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
