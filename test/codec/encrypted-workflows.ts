/** Workflows whose payloads go every way that Temporal knows. */
import {
  type ActivityFailure,
  ApplicationFailure,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  executeChild,
  getExternalWorkflowHandle,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  startChild,
  upsertMemo,
  workflowInfo,
} from '@temporalio/workflow';
import type { activities } from './encrypted-activities.js';

const options = { startToCloseTimeout: '10 seconds', heartbeatTimeout: '5 seconds', retry: { maximumAttempts: 2 } };
const { echo, beat, fail } = proxyActivities<typeof activities>(options);
const local = proxyLocalActivities<typeof activities>({ startToCloseTimeout: '10 seconds' });

export const tell = defineSignal<[string]>('tell');
export const read = defineQuery<string, [string]>('read');
export const change = defineUpdate<string, [string]>('change');

/** Ends when it was told something, and returns that. */
export async function listener(first: string): Promise<string> {
  let told = '';
  setHandler(tell, (text) => {
    told = text;
  });
  setHandler(read, (question) => `${question} ${first}`);
  setHandler(change, async (text) => echo(text));
  await condition(() => told !== '');
  return told;
}

export async function failing(text: string): Promise<never> {
  throw ApplicationFailure.nonRetryable(text, 'Expected', { text });
}

/** Returns what came back, by every way. */
export async function everyWay(text: string, runs = 1): Promise<readonly string[]> {
  upsertMemo({ text });
  const child = await startChild(listener, { args: [text], memo: { text } });
  await child.signal(tell, text);
  const other = await startChild(listener, { args: [text], workflowId: `${workflowInfo().workflowId}-other` });
  await getExternalWorkflowHandle(other.workflowId).signal(tell, text);
  const answers = [
    await echo(text),
    await local.echo(text),
    await beat(text),
    await fail(text).catch((error: ActivityFailure) => String(error.cause?.message)),
    await executeChild(failing, { args: [text] }).catch((error) => String(error.cause?.message)),
    await child.result(),
    await other.result(),
    String(workflowInfo().memo?.text),
  ];
  if (runs > 0) return continueAsNew<typeof everyWay>(text, runs - 1);
  return answers;
}

/** Returns what the last run returned, and its argument. */
export async function scheduled(text: string): Promise<string> {
  return `${text} ${String(workflowInfo().lastResult ?? 'first')}`;
}
