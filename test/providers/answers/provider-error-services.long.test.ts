/**
 * Asks each service of `model-services.ts` in each way, and writes what came of it to docs/services.md. The page is
 * compared with the run; `vitest -u` writes it anew.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createLlmStep } from '../../../src/activities/llm-step.js';
import { createFetch, type HttpClient } from '../../../src/egress/http-client.js';
import type { LlmStepInput, LlmStepResult } from '../../../src/protocol/steps.js';
import { LOOPBACK_POLICY } from '../../../testbed/loopback.js';
import { inActivity } from '../../activities/in-activity.js';
import { resolverInMemory, WORKSPACE } from '../../resolver/resolver-in-memory.js';
import { parseProvider } from '../../support/built-in-types.js';
import { type ServiceReply, startService } from '../local-service.js';
import { DEFAULT_ANSWER, MODEL_SERVICES, type ModelService } from './model-services.js';

const memory = resolverInMemory();
let http: HttpClient;
beforeAll(() => {
  http = createFetch({ egress: LOOPBACK_POLICY });
});
afterAll(() => http.close());

const KEY = 'canary-key-5e1f0c7d';
const OBJECT = '{"verdict":"fine"}';
const SCHEMA = {
  type: 'object',
  properties: { verdict: { type: 'string' } },
  required: ['verdict'],
  additionalProperties: false,
} as const;

/** @param always - the answer to every call. Default: the list, and what the model says */
async function ask(service: ModelService, text: string, isCut: boolean, schema: boolean, always?: ServiceReply) {
  const { answer = DEFAULT_ANSWER, refuses, models } = service;
  const { url } = await startService((request) => {
    if (!JSON.stringify(request.headers).includes(KEY)) return { status: 401, body: {} };
    if (always) return always;
    if (request.method === 'GET') return models ? { status: 200, body: models } : { status: 404, body: '' };
    return refuses?.(request) ?? { status: 200, body: answer(text, isCut) };
  });
  const config = {
    baseURL: service.name === 'openai' ? `${url}/v1` : url,
    model: service.name === 'anthropic' ? 'claude-sonnet-5-5' : 'a-model',
  };
  await memory.store.put(WORKSPACE, 'llm', service.name, config, { apiKey: KEY });
  const resolver = memory.resolverWith({ fetch: http.fetch });
  const ref = await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: service.name });
  const input: LlmStepInput = { ref, prompt: 'Judge.', ...(schema && { schema: SCHEMA }) };
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

function done({ text, object, finishReason }: LlmStepResult, schema: boolean): string {
  expect(schema ? object : text).toEqual(schema ? { verdict: 'fine' } : expect.stringMatching(/^(hello|hel)$/));
  if (finishReason === 'length') return finishReason;
  return finishReason === 'stop' ? 'yes' : `yes, as \`${finishReason}\``;
}

async function rowOf(service: ModelService): Promise<string[]> {
  const text = await ask(service, 'hello', false, false);
  const object = await ask(service, OBJECT, false, true);
  const cut = await ask(service, 'hel', true, false);
  const cutObject = await ask(service, OBJECT.slice(0, 9), true, true);
  const refused = await ask(service, '', false, false, service.refusedKey);
  const poor = await ask(service, '', false, false, service.outOfCredit);
  const limited = await ask(service, '', false, false, service.rateLimit);
  return [
    service.title,
    text.check,
    text.step,
    object.step,
    `${refused.step}; check: ${refused.check}`,
    `${poor.step}; check: ${poor.check}`,
    limited.step,
    `${cut.step}; object: ${cutObject.step}`,
  ];
}

const HEAD = ['service', 'check', 'text', 'object', 'refused key', 'out of credit', 'rate limit', 'cut'];

const page = (rows: readonly string[][]) => `# Services that were tried

What became of each kind of answer, with a stand-in that answers as the page of the service documents it. A test writes
this page (\`test/providers/answers/provider-error-services.long.test.ts\`); no service itself was called. How answers are read:
[service-answers.md](service-answers.md).

- **check**: the outcome for a good key; a service without a list of models cannot be checked. **text**, **object**: whether \`llmStep\` answered, without and with a schema.
- **refused key**, **out of credit**, **rate limit**: the failure of the step, with the wait that the service asked for.
- **cut**: an answer that ended at the limit of tokens: its \`finishReason\`, and what a step with a schema does.

${[HEAD, HEAD.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')}
`;

it('each service answers as the page says', async () => {
  const rows: string[][] = [];
  for (const service of MODEL_SERVICES) rows.push(await rowOf(service));
  await expect(page(rows)).toMatchFileSnapshot('../../../docs/services.md');
}, 180_000);
