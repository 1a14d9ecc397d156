/** When the plugin closes the parts that two workers of one process share. Runs on a real Temporal. */
import { NativeConnection, Worker } from '@temporalio/worker';
import { expect, onTestFinished, test, vi } from 'vitest';
import { WorkspaceProviders } from '../../src/index.js';
import { newWorkspace, useAgentStage } from '../support/agent-stage.js';
import { temporalAddress, uniqueName } from '../support/parts.js';

const stage = useAgentStage();

async function runningWorker(providers: WorkspaceProviders, connection: NativeConnection) {
  const plugins = [providers.plugin()];
  const worker = await Worker.create({ connection, taskQueue: uniqueName('agents'), plugins });
  const running = worker.run();
  await vi.waitUntil(() => worker.getState() === 'RUNNING', { timeout: 20_000 });
  const end = async () => {
    if (worker.getState() === 'RUNNING') worker.shutdown();
    await running;
  };
  onTestFinished(end);
  return { end };
}

test('the plugin closes its parts only when the last worker of the process has ended', async () => {
  const providers = await WorkspaceProviders.connect(stage.config());
  onTestFinished(() => providers.close());
  const connection = await NativeConnection.connect({ address: temporalAddress() });
  onTestFinished(() => connection.close());
  const [first, second] = [await runningWorker(providers, connection), await runningWorker(providers, connection)];
  const holdsLease = async () =>
    (await stage.manager.listWorkers()).some(({ workerId }) => workerId === providers.workerId);
  const workspaceId = newWorkspace();
  await stage.addLlm(workspaceId);
  const resolve = () => providers.resolver.resolveLlmKey({ workspaceId, provider: 'anthropic' });

  await first.end();
  expect(await holdsLease()).toBe(true);
  expect(await resolve()).toMatchObject({ cache: 'miss' });
  expect(await resolve()).toMatchObject({ cache: 'hit' });

  await second.end();
  expect(await holdsLease()).toBe(false);
  expect(providers.resolver.peek(workspaceId, 'llm', 'anthropic')).toBeUndefined();
  await expect(resolve()).rejects.toMatchObject({ type: 'StoreUnavailable' });
});
