import {
  condition,
  defineSignal,
  executeChild,
  proxyActivities,
  setHandler,
  setWorkflowOptions,
} from '@temporalio/workflow';
import { resolveLlmKey } from 'workspace-providers/workflow';
import type { createActivities } from './activities';

const { greet, countModels } = proxyActivities<ReturnType<typeof createActivities>>({
  startToCloseTimeout: '1 minute',
});

export async function greeting(workspace: string): Promise<string> {
  const models = await countModels(await resolveLlmKey({ provider: 'anthropic' }));
  return `${await greet(workspace)}: ${models > 0 ? 'models' : 'no model'}`;
}

export function family(workspace: string): Promise<string[]> {
  return Promise.all([1, 2].map(() => executeChild(greeting, { args: [workspace] })));
}

export const finish = defineSignal('finish');

setWorkflowOptions({ versioningBehavior: 'PINNED' }, pinned);
/** Uses a credential before and after it waits, so that both steps run on the workers of its version. */
export async function pinned(): Promise<number[]> {
  let finished = false;
  setHandler(finish, () => {
    finished = true;
  });
  const ref = await resolveLlmKey({ provider: 'anthropic' });
  const before = await countModels(ref);
  await condition(() => finished);
  return [before, await countModels(ref)];
}
