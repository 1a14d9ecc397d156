/**
 * Asks each service of `model-services.ts` in each way, and writes what came of it to docs/services.md. The page is
 * compared with the run; `vitest -u` writes it anew.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createLlmStep } from '../../../src/activities/llm-step.js';
import { createFetch, type HttpClient } from '../../../src/egress/http-client.js';
import type { LlmStepInput, LlmStepResult } from '../../../src/protocol/llm-step.js';
import { type LlmProtocol, protocolOf } from '../../../src/providers/llm/llm-config.js';
import { anthropic } from '../../../src/testing/services/anthropic.js';
import { gemini } from '../../../src/testing/services/gemini.js';
import { readChat } from '../../../src/testing/services/openai-chat.js';
import { readResponses } from '../../../src/testing/services/openai-responses.js';
import type { ModelRequest } from '../../../src/testing/services/wire-format.js';
import { LOOPBACK_POLICY } from '../../../testbed/loopback.js';
import { inActivity } from '../../activities/in-activity.js';
import { resolverInMemory, WORKSPACE } from '../../resolver/resolver-in-memory.js';
import { parseProvider } from '../../support/built-in-types.js';
import { type ServiceReply, type ServiceRequest, startService } from '../local-service.js';
import { DEFAULT_ANSWER, MODEL_SERVICES, type ModelService } from './model-services.js';

const memory = resolverInMemory();
let http: HttpClient;
beforeAll(() => {
  http = createFetch({ egress: LOOPBACK_POLICY });
});
afterAll(() => http.close());

const KEY = 'canary-key-5e1f0c7d';
const OBJECT = '{"verdict":"fine"}';
/** With an optional field and others allowed, as most schemas are: OpenAI's strict mode refuses it. */
const SCHEMA = {
  type: 'object',
  properties: { verdict: { type: 'string' }, note: { type: 'string' } },
  required: ['verdict'],
} as const;

interface Asked {
  readonly text: string;
  readonly isCut?: boolean;
  readonly schema?: boolean;
  readonly stream?: boolean;
  /** The answer to every call. Default: the list, and what the model says. */
  readonly always?: ServiceReply;
}

async function ask(service: ModelService, { text, isCut = false, schema = false, stream, always }: Asked) {
  const { answer = DEFAULT_ANSWER, refuses, models, path = '', config: own } = service;
  const { url } = await startService((request) => {
    if (!JSON.stringify(request.headers).includes(KEY)) return { status: 401, body: {} };
    if (always) return always;
    if (!request.path.startsWith(path)) return { status: 404, body: '' };
    const refused = refuses?.(request);
    if (refused) return refused;
    if (request.method === 'GET') return models ? { status: 200, body: models } : { status: 404, body: '' };
    const events = eventsFor(service, request, text, isCut);
    return events ? { status: 200, events } : { status: 200, body: answer(text, isCut) };
  });
  const config = {
    baseURL: `${url}${path}${service.name === 'openai' ? '/v1' : ''}`,
    model: MODELS[service.name] ?? 'a-model',
    ...own,
  };
  await memory.store.put(WORKSPACE, 'llm', service.name, config, { apiKey: KEY });
  const resolver = memory.resolverWith({ fetch: http.fetch });
  const ref = await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: service.name });
  const options = { maxOutputTokens: 50, temperature: 0, seed: 7, stopSequences: ['END'] };
  const input: LlmStepInput = { ref, prompt: 'Judge.', ...options, stream, ...(schema && { schema: SCHEMA }) };
  const step = inActivity()
    .run(createLlmStep(resolver), input)
    .then(
      (result) => done(result as LlmStepResult, schema),
      (error: { type?: string; nextRetryDelay?: number }) =>
        `\`${error.type}\`${error.nextRetryDelay ? `, after ${Number(error.nextRetryDelay) / 1000} s` : ''}`,
    );
  const { service: live } = parseProvider('llm', service.name, config, { apiKey: KEY });
  const context = { fetch: http.fetch, signal: new AbortController().signal };
  const checked = await live.check(context);
  return { step: await step, check: checked.outcome };
}

/** Known to the AI SDK. */
const MODELS: Readonly<Record<string, string>> = { anthropic: 'claude-sonnet-5-5', gemini: 'gemini-2.5-flash' };

/** The stream that the stand-in of this API sends. `undefined` if the request asks for none. */
function eventsFor({ name, config }: ModelService, { path, body }: ServiceRequest, text: string, isCut: boolean) {
  const asked: unknown = JSON.parse(body);
  const standIns: Readonly<Record<LlmProtocol, () => ModelRequest | undefined>> = {
    'chat-completions': () => readChat(asked),
    responses: () => readResponses(asked),
    anthropic: () => anthropic.read('/v1/messages', asked),
    gemini: () => gemini.read(path.replace(/\?.*/, ''), asked),
  };
  const reply = standIns[protocolOf(name, config ?? {})]()?.reply({ text, calls: [] }, { input: 3, output: 2 });
  if (!reply || !('events' in reply)) return undefined;
  return isCut
    ? reply.events.map((event) => event.replace('"finish_reason":"stop"', '"finish_reason":"length"'))
    : reply.events;
}

function done({ text, object, finishReason }: LlmStepResult, schema: boolean): string {
  expect(schema ? object : text).toEqual(schema ? { verdict: 'fine' } : expect.stringMatching(/^(hello|hel)$/));
  if (finishReason === 'length') return finishReason;
  return finishReason === 'stop' ? 'yes' : `yes, as \`${finishReason}\``;
}

async function rowOf(service: ModelService): Promise<string[]> {
  const text = await ask(service, { text: 'hello' });
  const object = await ask(service, { text: OBJECT, schema: true });
  const streamed = await ask(service, { text: 'hello', stream: true });
  const cut = await ask(service, { text: 'hel', isCut: true });
  const cutObject = await ask(service, { text: OBJECT.slice(0, 9), isCut: true, schema: true });
  const refused = await ask(service, { text: '', always: service.refusedKey });
  const poor = await ask(service, { text: '', always: service.outOfCredit });
  const limited = await ask(service, { text: '', always: service.rateLimit });
  return [
    service.title,
    service.config ? `\`${JSON.stringify(service.config)}\`` : '',
    text.check,
    text.step,
    object.step,
    streamed.step,
    `${refused.step}; check: ${refused.check}`,
    `${poor.step}; check: ${poor.check}`,
    limited.step,
    `${cut.step}; object: ${cutObject.step}`,
  ];
}

const HEAD = [
  ...['service', 'config', 'check', 'text', 'object', 'stream', 'refused key', 'out of credit', 'rate limit', 'cut'],
];

const page = (rows: readonly string[][]) => `# Services that were tried

What became of each kind of answer, with a stand-in that answers as the page of the service documents it, and refuses
what the service refuses: a schema, a parameter, a call that does not stream. A test writes this page
(\`test/providers/answers/provider-error-services.long.test.ts\`); no service itself was called. How answers are read:
[service-answers.md](service-answers.md). What the fields of the config mean: [llm-step.md](llm-step.md#how-a-service-is-spoken-to).

- **config**: what the provider's config has beside \`baseURL\` and \`model\`.
- **check**: the outcome for a good key; a service without a list of models cannot be checked. **text**, **object**, **stream**: whether \`llmStep\` answered: without a schema, with one, and with \`stream\`.
- **refused key**, **out of credit**, **rate limit**: the failure of the step, with the wait that the service asked for.
- **cut**: an answer that ended at the limit of tokens: its \`finishReason\`, and what a step with a schema does.

${[HEAD, HEAD.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')}
`;

it('each service answers as the page says', async () => {
  const rows: string[][] = [];
  for (const service of MODEL_SERVICES) rows.push(await rowOf(service));
  await expect(page(rows)).toMatchFileSnapshot('../../../docs/services.md');
}, 180_000);
