/** The key that the demo rotates, and what its service, a stand-in of Anthropic, does with it and records of it. */
import type { LlmStandIn } from '../testbed/standins/llm.js';
import type { DemoQuestion, DemoRotation } from './services.js';

const QUESTIONS_PATH = '/v1/messages';

export interface RotatedKey {
  readonly older: string;
  readonly next: string;
  /** A question to the model of that provider. */
  readonly question: DemoQuestion;
}

/** Also makes the service accept the next key. */
export function rotatedKey({ older, next, question }: RotatedKey, llm: LlmStandIn): DemoRotation {
  const { workspaceId, provider: name } = question;
  llm.admit({ provider: 'anthropic', key: next, owner: workspaceId });
  return {
    provider: { workspaceId, type: 'llm', name },
    next: { apiKey: next },
    question,
    countWithOlderKeySince: (moment) =>
      llm.callsWith(older).filter(({ path, at }) => path === QUESTIONS_PATH && at >= moment).length,
    // Asks by a call that costs nothing and is not counted as a question.
    isOlderKeyRefused: async () => {
      const headers = { 'x-api-key': older, 'anthropic-version': '2023-06-01' };
      const { status } = await fetch(`${llm.baseUrls.anthropic.aiSdk}/models`, { headers });
      return status === 401;
    },
  };
}
