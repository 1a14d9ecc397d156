/** Runs the example agent's workflows in this process. Their activities run on the worker under test. */
import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import { NativeConnection, Worker } from '@temporalio/worker';
import { WorkflowPlugin } from '../../src/plugin/workflow-plugin.js';

const EXTENSION = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const WORKFLOWS_PATH = fileURLToPath(new URL(`../../examples/address-agent/workflows.${EXTENSION}`, import.meta.url));

export interface AgentWorkflowsOptions {
  /** The address of the Temporal server. */
  readonly address: string;
  readonly taskQueue: string;
  readonly namespace?: string;
  readonly dataConverter?: DataConverter;
}

export interface AgentWorkflows {
  stop(): Promise<void>;
}

/** A worker without activities only polls for workflow tasks, so both workers can share the task queue. */
export async function runAgentWorkflows({ address, ...options }: AgentWorkflowsOptions): Promise<AgentWorkflows> {
  const connection = await NativeConnection.connect({ address });
  const worker = await Worker.create({
    ...options,
    connection,
    workflowsPath: WORKFLOWS_PATH,
    plugins: [new WorkflowPlugin()],
  });
  const running = worker.run();
  return {
    stop: async () => {
      worker.shutdown();
      await running;
      await connection.close();
    },
  };
}
