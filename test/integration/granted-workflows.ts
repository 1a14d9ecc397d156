/** Workflows that name no workspace. Their grants decide whose credentials they use. */
import {
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  executeChild,
  getExternalWorkflowHandle,
  proxyLocalActivities,
  setHandler,
  startChild,
} from '@temporalio/workflow';
import type { ProviderActivities } from '../../src/activities/provider-activities.js';
import { type ProviderReference, resolveLlmKey } from '../../src/workflow.js';

type Reference = ProviderReference<'llm'>;

const local = proxyLocalActivities<ProviderActivities>({ startToCloseTimeout: '10 seconds' });

/** Resolves a provider. `workspaceId` is the workspace that the workflow claims, if any. */
export async function whose(workspaceId?: string): Promise<string> {
  return (await resolveLlmKey({ workspaceId, provider: 'anthropic' })).workspaceId;
}

export async function whoseLocally(): Promise<string> {
  return (await local.resolveLlmKey({ provider: 'anthropic' })).workspaceId;
}

/** Resolves the provider of a reference that it was given. */
export async function whoseOf(handed: Reference): Promise<string> {
  return (await resolveLlmKey({ workspaceId: handed.workspaceId, provider: handed.name })).workspaceId;
}

export const tellName = defineSignal<[string]>('tellName');
export const askName = defineUpdate<string>('askName');
export const askCheckedName = defineUpdate<string>('askCheckedName');
export const isNamedYet = defineQuery<boolean>('isNamedYet');

/** Runs a child and its grandchild, and a child that gets a signal. */
export async function family(depth = 2): Promise<readonly string[]> {
  const own = await whose();
  if (depth === 0) return [own];
  const named = await startChild(untilNamed, { workflowId: 'a-name-of-its-own' });
  await named.signal(tellName, 'canary');
  return [own, await named.result(), ...(await executeChild(family, { args: [depth - 1] }))];
}

/** Ends after a signal or an update. */
export async function untilNamed(): Promise<string> {
  let isNamed = false;
  setHandler(tellName, () => {
    isNamed = true;
  });
  setHandler(isNamedYet, () => isNamed);
  const name = async () => {
    const workspaceId = await whose();
    isNamed = true;
    return workspaceId;
  };
  setHandler(askName, name);
  setHandler(askCheckedName, name, { validator: () => {} });
  await condition(() => isNamed);
  return whose();
}

/** Sends a signal to a workflow that is not its child. */
export async function tell(workflowId: string): Promise<void> {
  await getExternalWorkflowHandle(workflowId).signal(tellName, 'canary');
}

export async function chain(runs = 3): Promise<string> {
  const workspaceId = await whose();
  return runs === 0 ? workspaceId : continueAsNew<typeof chain>(runs - 1);
}

/** Each run starts a child with a grandchild, under an id that it chooses and under one that Temporal makes up. */
export async function generations(runs = 1): Promise<string> {
  const chosen = await executeChild(family, { workflowId: `run-${runs}`, args: [1] });
  const madeUp = await executeChild(whose);
  return runs === 0 ? [...chosen, madeUp].join(' ') : continueAsNew<typeof generations>(runs - 1);
}
