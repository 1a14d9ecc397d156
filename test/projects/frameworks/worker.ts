import { AiSdkPlugin } from '@temporalio/ai-sdk';
import { OpenAIAgentsPlugin } from '@temporalio/openai-agents';
import { NativeConnection, Worker } from '@temporalio/worker';
import { WorkspaceProviders } from 'workspace-providers';
import { workspaceModels } from 'workspace-providers/ai-sdk';
import { workspaceAgentModels } from 'workspace-providers/openai-agents';
import * as activities from './activities';

async function main() {
  const { TEMPORAL_ADDRESS, TASK_QUEUE = '' } = process.env;
  const connection = await NativeConnection.connect({ address: TEMPORAL_ADDRESS });
  const providers = await WorkspaceProviders.connect();
  const plugins = [
    providers.plugin(),
    new AiSdkPlugin({ modelProvider: workspaceModels() }),
    new OpenAIAgentsPlugin({ modelProvider: workspaceAgentModels() }),
  ];
  const worker = await Worker.create({
    connection,
    taskQueue: TASK_QUEUE,
    workflowsPath: require.resolve('./workflows'),
    activities,
    // As in Temporal's sample for OpenAI Agents: its ES modules are loaded on demand, which a workflow cannot do.
    bundlerOptions: {
      webpackConfigHook: (config) => ({
        ...config,
        resolve: { ...config.resolve, conditionNames: ['require', 'browser', 'default'] },
      }),
    },
    plugins,
  });
  await worker.run();
  await connection.close();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
