/** The key that the demo rotates, and what its service, a stand-in of Anthropic, does with it and knows of it. */
import type { LlmStandIn } from '../testbed/standins/llm.js';
import type { DemoQuestion, DemoRotation } from './services.js';

const QUESTIONS_PATH = '/v1/messages';

export interface RotatedKey {
  readonly older: string;
  readonly next: string;
  /** To that provider's model. */
  readonly question: DemoQuestion;
}

/** Has the service take the next key, too. */
export function rotatedKey({ older, next, question }: RotatedKey, llm: LlmStandIn): DemoRotation {
  const { workspaceId, provider: name } = question;
  llm.admit({ provider: 'anthropic', key: next, owner: workspaceId });
  return {
    provider: { workspaceId, type: 'llm', name },
    next: { apiKey: next },
    question,
    countWithOlderKeySince: (moment) =>
      llm.callsWith(older).filter(({ path, at }) => path === QUESTIONS_PATH && at >= moment).length,
    // By a call that costs nothing and is no question.
    isOlderKeyRefused: async () => {
      const headers = { 'x-api-key': older, 'anthropic-version': '2023-06-01' };
      const { status } = await fetch(`${llm.baseUrls.anthropic.aiSdk}/models`, { headers });
      return status === 401;
    },
  };
}
