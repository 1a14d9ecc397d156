/** Objects from models: how a schema is said to each service, and how an object is found in what it answers. */
import { describe, expect, test } from 'vitest';
import type { ServiceRequest } from '../providers/local-service.js';
import { chat, chatStream, message, useModels } from './model-services.js';

const models = useModels();

const SCHEMA = {
  type: 'object',
  properties: { verdict: { type: 'string' }, note: { type: 'string' } },
  required: ['verdict'],
} as const;
const STRICT = { ...SCHEMA, required: ['verdict', 'note'], additionalProperties: false } as const;
const FINE = '{"verdict":"fine","note":"n"}';
const OBJECT = { verdict: 'fine', note: 'n' };

describe('a schema that a service refuses is said in another way', () => {
  test.each<[string, number, (body: string) => unknown]>([
    ['DeepSeek', 400, () => ({ error: { message: 'This response_format type is unavailable now' } })],
    ['Groq', 400, () => ({ error: { message: 'This model does not support response format `json_schema`.' } })],
    ['a field that is named only in `param`', 422, () => ({ error: { message: 'x', param: 'response_format' } })],
    [
      'vLLM',
      400,
      () => ({ object: 'error', message: 'The provided JSON schema contains features not supported by xgrammar.' }),
    ],
    ['FastAPI', 422, () => ({ error: { message: 'body.response_format.json_schema: extra fields not permitted' } })],
  ])('%s: JSON mode, with the schema in the prompt', async (_service, status, body) => {
    const refuses = (request: ServiceRequest) => request.body.includes('"type":"json_schema"');
    const { result, bodies } = await models.ask(
      {
        name: 'a-service',
        answer: (request) =>
          refuses(request) ? { status, body: body(request.body) } : { status: 200, body: chat({ content: FINE }) },
      },
      { schema: SCHEMA, system: 'Be fair.' },
    );
    expect(result.object).toEqual(OBJECT);
    expect(bodies).toHaveLength(2);
    expect(bodies[1]).toMatchObject({ response_format: { type: 'json_object' } });
    expect(JSON.stringify(bodies[1])).toMatch(/Be fair\..*JSON schema.*verdict/);
  });

  test('without JSON mode, only the prompt has it', async () => {
    const { result, bodies } = await models.ask(
      {
        name: 'a-service',
        answer: ({ body }) =>
          body.includes('response_format')
            ? { status: 400, body: { error: { message: 'response_format is not supported by this model' } } }
            : { status: 200, body: chat({ content: `Sure!\n${FINE}` }) },
      },
      { schema: SCHEMA },
    );
    expect(result.object).toEqual(OBJECT);
    expect(bodies.map((body) => (body.response_format as { type: string } | undefined)?.type)).toEqual([
      'json_schema',
      'json_object',
      undefined,
    ]);
  });

  test('another refusal is final at once', async () => {
    const step = await models.start(
      [{ name: 'a-service', answer: { status: 400, body: { error: { message: 'temperature is out of range' } } } }],
      { schema: SCHEMA },
    );
    await expect(step.run).rejects.toMatchObject({ type: 'ProviderRequestInvalid', nonRetryable: true });
    expect(step.requests('a-service')).toHaveLength(1);
  });

  test.each([
    ['json', { type: 'json_object' }],
    ['prompt', undefined],
  ])('the config can say it at once: %s', async (structuredOutputs, response_format) => {
    const { result, bodies } = await models.ask(
      { name: 'a-service', config: { structuredOutputs }, answer: { status: 200, body: chat({ content: FINE }) } },
      { schema: SCHEMA },
    );
    expect(result.object).toEqual(OBJECT);
    expect(bodies.map((body) => body.response_format)).toEqual([response_format]);
  });

  test.each([
    [
      'Anthropic',
      'anthropic',
      'output_config.format: Extra inputs are not permitted',
      message([{ type: 'text', text: FINE }]),
    ],
    [
      'Gemini',
      'gemini',
      'Invalid JSON payload received. Unknown name "const" at \'generation_config.response_schema\'',
      { candidates: [{ content: { role: 'model', parts: [{ text: FINE }] }, finishReason: 'STOP' }] },
    ],
  ])('%s', async (_title, name, refusal, answer) => {
    const { result, bodies } = await models.ask(
      {
        name,
        config: { model: name === 'gemini' ? 'gemini-3-pro' : 'claude-sonnet-5-5' },
        answer: ({ body }) =>
          /"(output_config|responseSchema|responseJsonSchema)"/.test(body)
            ? { status: 400, body: { error: { message: refusal } } }
            : { status: 200, body: answer },
      },
      { schema: STRICT },
    );
    expect(result.object).toEqual(OBJECT);
    expect(bodies).toHaveLength(2);
  });
});

describe("OpenAI's strict mode is asked for only with a schema that it takes", () => {
  test.each([
    ['all fields are required, and no others allowed', STRICT, true],
    ['a field is optional', SCHEMA, false],
    ['other fields are allowed', { ...STRICT, additionalProperties: true }, false],
    [
      'nested, other fields are allowed',
      { ...STRICT, properties: { verdict: { type: 'string' }, note: { type: 'object' } } },
      false,
    ],
    ['a keyword of conditions', { ...STRICT, allOf: [{ type: 'object' }] }, false],
    ['a list of strict objects', { type: 'array', items: STRICT }, true],
    [
      'a list of others',
      { ...STRICT, properties: { ...STRICT.properties, note: { type: 'array', items: SCHEMA } } },
      false,
    ],
  ])('%s', async (_title, schema, strict) => {
    const step = await models.start([{ name: 'a-service', answer: { status: 200, body: chat({ content: FINE }) } }], {
      schema,
    });
    await step.run.catch(() => undefined);
    expect(step.bodies('a-service')[0]).toMatchObject({ response_format: { json_schema: { strict } } });
  });
});

describe('an object is found in', () => {
  test.each([
    ['a code fence', `\`\`\`json\n${FINE}\n\`\`\``],
    ['a code fence without a language', `\`\`\`\n${FINE}\`\`\``],
    ['words around it', `Here is the verdict: ${FINE}. Anything else?`],
    ['words around a fence', `Sure.\n\`\`\`JSON\r\n${FINE}\r\n\`\`\`\nDone {really}.`],
    ['thoughts before it', `<think>Maybe {"verdict":1}?</think>\n${FINE}`],
    ['white space', `\n\t ${FINE} \n`],
    ['a second fence, after one that does not fit', `\`\`\`json\n{}\n\`\`\`\n\`\`\`json\n${FINE}\n\`\`\``],
  ])('%s', async (_title, content) => {
    const answer = { status: 200, body: chat({ content }) };
    expect((await models.ask({ name: 'a-service', answer }, { schema: SCHEMA })).result.object).toEqual(OBJECT);
  });

  test('the pieces of a stream', async () => {
    const answer = { status: 200, events: chatStream(['```json\n{"verdict":"fi', 'ne","note":"n"}', '\n```']) };
    const { result } = await models.ask({ name: 'a-service', answer }, { schema: SCHEMA, stream: true });
    expect(result.object).toEqual(OBJECT);
  });
});

describe('an answer that cannot be used is final at once, and says why', () => {
  const CASES: readonly (readonly [string, string, object, object, RegExp])[] = [
    ['cut', 'a-service', { schema: SCHEMA }, chat({ content: FINE.slice(0, 9) }, {}, 'length'), /was cut/],
    [
      'cut, in the words of Mistral',
      'a-service',
      { schema: SCHEMA },
      chat({ content: '{' }, {}, 'model_length'),
      /was cut/,
    ],
    ['cut before its first word', 'a-service', {}, chat({ content: '' }, {}, 'length'), /was cut.*maxOutputTokens/],
    ['cut, by Anthropic', 'anthropic', {}, message([], { stop_reason: 'max_tokens' }), /was cut/],
    ['refused, by OpenAI', 'openai', { schema: STRICT }, refusal(), /refusal/],
    ['refused, without a schema', 'openai', {}, refusal(), /refusal/],
    [
      'refused, by chat completions',
      'a-service',
      { schema: SCHEMA },
      chat({ content: null, refusal: 'No.' }),
      /refusal/,
    ],
    ['refused, by Anthropic', 'anthropic', {}, message([], { stop_reason: 'refusal' }), /refusal/],
    ['filtered', 'a-service', {}, chat({ content: 'A bad w' }, {}, 'content_filter'), /content filter/],
    ['filtered, in the words of Zhipu', 'a-service', {}, chat({ content: '' }, {}, 'sensitive'), /content filter/],
    ['blocked, by Gemini', 'gemini', {}, { promptFeedback: { blockReason: 'SAFETY' } }, /content filter/],
    ['of another form', 'a-service', { schema: SCHEMA }, chat({ content: '{"verdict":1}' }), /does not fit `schema`/],
    ['no JSON', 'a-service', { schema: SCHEMA }, chat({ content: 'No.' }), /does not fit `schema`/],
    [
      'a call that was cut',
      'a-service',
      { tools: [{ name: 't', inputSchema: { type: 'object' } }] },
      chat(
        { content: null, tool_calls: [{ id: 'c', type: 'function', function: { name: 't', arguments: '{"a' } }] },
        {},
        'length',
      ),
      /was cut/,
    ],
  ];

  test.each(CASES)('%s', async (_title, name, input, body, why) => {
    const config = name === 'gemini' ? { model: 'gemini-3-pro' } : {};
    const step = await models.start([{ name, config, answer: { status: 200, body } }], input);
    await expect(step.run).rejects.toMatchObject({
      type: 'AnswerUnusable',
      nonRetryable: true,
      message: expect.stringMatching(why),
    });
    expect(step.requests(name)).toHaveLength(1);
  });

  test('but a text that was cut is an answer, and the result says so', async () => {
    const answer = { status: 200, body: chat({ content: 'hel' }, {}, 'length') };
    const { result } = await models.ask({ name: 'a-service', answer });
    expect(result).toMatchObject({ text: 'hel', finishReason: 'length' });
  });
});

function refusal() {
  const content = [{ type: 'refusal', refusal: 'No.' }];
  return {
    ...{ id: 'resp_1', object: 'response', created_at: 1, status: 'completed', error: null, incomplete_details: null },
    model: 'a-model',
    output: [{ type: 'message', id: 'msg_1', status: 'completed', role: 'assistant', content }],
    usage: { input_tokens: 3, output_tokens: 2, total_tokens: 5 },
  };
}
