/**
 * A worker of the address agent: an ordinary Temporal worker with one plugin, which reads its settings from the
 * environment (docs/configuration.md).
 */
import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';
import { hardenProcess, serveMetrics, WorkspaceProviders } from 'workspace-providers';

hardenProcess();
const {
  TEMPORAL_ADDRESS,
  AGENT_TASK_QUEUE = 'agents',
  PROVIDER_WORKER_IDENTITY,
  PROVIDER_METRICS_ADDRESS,
} = process.env;

const providers = await WorkspaceProviders.connect();
const metrics = PROVIDER_METRICS_ADDRESS && (await serveMetrics(providers, { address: PROVIDER_METRICS_ADDRESS }));
const connection = await NativeConnection.connect({ address: TEMPORAL_ADDRESS });
try {
  const worker = await Worker.create({
    connection,
    taskQueue: AGENT_TASK_QUEUE,
    identity: PROVIDER_WORKER_IDENTITY,
    workflowsPath: fileURLToPath(new URL('workflows.js', import.meta.url)),
    plugins: [providers.plugin()],
  });
  console.log(JSON.stringify({ event: 'ready', taskQueue: AGENT_TASK_QUEUE }));
  await worker.run();
} finally {
  if (metrics) await metrics.close();
  await providers.close();
  await connection.close();
}
