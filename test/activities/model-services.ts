/** Services of models for tests of `llmStep`: on loopback, each with its own provider, without Postgres and Temporal. */
import { afterAll, beforeAll } from 'vitest';
import { createLlmStep } from '../../src/activities/llm-step.js';
import { createFetch, type HttpClient } from '../../src/egress/http-client.js';
import type { LlmStepInput, LlmStepResult } from '../../src/protocol/llm-step.js';
import { LOOPBACK_POLICY } from '../../testbed/loopback.js';
import { type Answer, type ServiceReply, startService } from '../providers/local-service.js';
import { resolverInMemory, WORKSPACE } from '../resolver/resolver-in-memory.js';
import { inActivity } from './in-activity.js';

const KEY = 'canary-key-5e1f0c7d';

export interface TestModel {
  /** The provider's name, which decides the API unless `config` does. */
  readonly name: string;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly answer: Answer | ServiceReply;
}

type Info = Parameters<typeof inActivity>[0];

export interface TestStep {
  readonly run: Promise<LlmStepResult>;
  readonly environment: ReturnType<typeof inActivity>;
  /** The bodies that each service received, by the provider's name. */
  bodies(name: string): readonly Record<string, unknown>[];
  requests(name: string): Awaited<ReturnType<typeof startService>>['requests'];
}

export function useModels() {
  const memory = resolverInMemory();
  let http: HttpClient;
  beforeAll(() => {
    http = createFetch({ egress: LOOPBACK_POLICY });
  });
  afterAll(() => http.close());

  /** Starts the step. The first model is its `ref`, the others are its fallbacks. */
  async function start(models: readonly TestModel[], input: Partial<LlmStepInput>, info?: Info): Promise<TestStep> {
    const services = new Map<string, Awaited<ReturnType<typeof startService>>>();
    for (const { name, config, answer } of models) {
      const service = await startService(answer);
      services.set(name, service);
      const whole = { baseURL: service.url, model: 'a-model', ...config };
      await memory.store.put(WORKSPACE, 'llm', name, whole, { apiKey: KEY });
    }
    const resolver = memory.resolverWith({ fetch: http.fetch });
    const [ref, ...fallbacks] = await Promise.all(
      models.map(({ name }) => resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: name })),
    );
    const asked = input.messages || input.prompt !== undefined ? {} : { prompt: 'Judge.' };
    const step = { ref, ...asked, ...(fallbacks.length > 0 && { fallbacks }), ...input } as LlmStepInput;
    const environment = inActivity(info);
    const requests = (name: string) => services.get(name)?.requests ?? [];
    return {
      run: environment.run(createLlmStep(resolver), step) as Promise<LlmStepResult>,
      environment,
      requests,
      bodies: (name) => requests(name).map(({ body }) => JSON.parse(body) as Record<string, unknown>),
    };
  }

  /** Asks one service. */
  async function ask(model: TestModel, input: Partial<LlmStepInput> = {}, info?: Info) {
    const step = await start([model], input, info);
    const result = await step.run;
    return { result, bodies: step.bodies(model.name), requests: step.requests(model.name) };
  }

  return { start, ask, memory };
}

export const chat = (message: object = { content: 'hello' }, more: object = {}, finish_reason: unknown = 'stop') => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'a-model-2026',
  choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason }],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
  ...more,
});

export const chatStream = (texts: readonly string[], last: object = {}, finish_reason: string | null = 'stop') => {
  const chunk = (delta: object, more: object = {}) => ({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'a-model-2026',
    choices: [{ index: 0, delta, finish_reason: null, ...more }],
  });
  const chunks = [...texts.map((content) => chunk({ content })), { ...chunk({}, { finish_reason }), ...last }];
  return chunks.map((each) => `data: ${JSON.stringify(each)}\n\n`);
};

export const message = (content: readonly object[], more: object = {}) => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'a-model-2026',
  content,
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 3, output_tokens: 2 },
  ...more,
});

export const gemini = (parts: readonly object[], more: object = {}) => ({
  candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP' }],
  usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 2, totalTokenCount: 5 },
  ...more,
});
export const responses = (output: readonly object[], more: object = {}) => ({
  ...{ id: 'resp_1', object: 'response', created_at: 1, status: 'completed', error: null, incomplete_details: null },
  model: 'gpt-5-mini-2026-01-01',
  output,
  usage: { input_tokens: 3, output_tokens: 2, total_tokens: 5 },
  ...more,
});
export const said = (text: string) => ({
  ...{ type: 'message', id: 'msg_1', status: 'completed', role: 'assistant' },
  content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
});
