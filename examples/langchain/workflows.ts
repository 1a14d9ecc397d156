import { proxyActivities } from '@temporalio/workflow';
import type * as activities from './activities.js';

const { answer } = proxyActivities<typeof activities>({ startToCloseTimeout: '10 minutes' });

export async function assistant(question: string): Promise<string> {
  return answer(question);
}
