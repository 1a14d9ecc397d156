/** A workflow that runs activities of one kind, one after another. It runs in Temporal's sandbox. */
import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import { resolveLlmKey } from '../dist/workflow.js';

const options = { startToCloseTimeout: '10 seconds' };
const regular = proxyActivities(options);
const local = proxyLocalActivities(options);

const ACTIVITIES = {
  nothing: () => regular.nothing(),
  handOver: regular.handOver,
  resolve: resolveLlmKey,
  nothingLocally: () => local.nothing(),
  handOverLocally: local.handOver,
  resolveLocally: local.resolveLlmKey,
};

/**
 * @param {{ activity: keyof typeof ACTIVITIES, count: number, input: { workspaceId: string, provider: string } }} args
 */
export async function sequence({ activity, count, input }) {
  for (let done = 0; done < count; done++) await ACTIVITIES[activity](input);
}
