/** A workflow whose agent of LangChain runs in an activity. */
import { proxyActivities } from '@temporalio/workflow';

const { ask } = proxyActivities<{ ask(question: string): Promise<string> }>({
  startToCloseTimeout: '1 minute',
  retry: { maximumAttempts: 3 },
});

export const assistant = (question: string): Promise<string> => ask(question);
