/** What steps refuse before they open a credential: their inputs are JSON from a history, whatever the types say. */
import { describe, expect, test } from 'vitest';
import { createProviderActivities } from '../../src/activities/provider-activities.js';
import { resolverInMemory, WORKSPACE } from '../resolver/resolver-in-memory.js';
import { inActivity } from './in-activity.js';

const CANARY = 'canary-sk-5e1f0c7d';
const memory = resolverInMemory();

const refTo = (type: string, name: string) => ({
  ...{ workspaceId: WORKSPACE, type, name, version: 1, source: 'workspace', cache: 'hit', shown: {} },
});
const llm = { ref: refTo('llm', 'anthropic'), prompt: 'Hello.' };
const rpc = {
  ref: { workspaceId: WORKSPACE, type: 'rpc', chainId: 1, endpoints: [refTo('rpc', 'mainnet')] },
  method: 'eth_chainId',
};
const address = `0x${'0'.repeat(40)}`;

const named = { workspaceId: WORKSPACE, provider: ['openai', 'anthropic'], prompt: 'Hello.' };
const simulation = {
  ...{ ref: refTo('tenderly', 'default'), networkId: '1', transaction: { from: address, to: address } },
};

const says = (content: unknown, role = 'user', more: object = {}) => ({
  ...{ ...llm, prompt: undefined, messages: [{ role, content, ...more }] },
});
const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);

/** Each part in each place, as an answer of the step has it and takes it back. */
const CONVERSATION = [
  {
    role: 'user',
    content: [
      { type: 'text', text: 'x', providerOptions: { anthropic: { cacheControl: { type: 'ephemeral' } } } },
      { type: 'file', data: 'AA==', mediaType: 'image/png', filename: 'a.png' },
    ],
  },
  {
    role: 'assistant',
    content: [
      { type: 'reasoning', text: 'hm', providerOptions: { anthropic: { signature: 'sig' } } },
      { type: 'tool-call', toolCallId: 'c1', toolName: 't', input: { a: 1 } },
    ],
  },
  {
    role: 'tool',
    content: [
      { type: 'tool-result', toolCallId: 'c1', toolName: 't', output: { type: 'json', value: { b: 2 } } },
      {
        ...{ type: 'tool-result', toolCallId: 'c2', toolName: 't' },
        output: { type: 'content', value: [{ type: 'file', data: 'AA==', mediaType: 'image/png' }] },
      },
    ],
  },
  { role: 'assistant', content: 'done', providerOptions: {} },
];

type Activity = keyof ReturnType<typeof createProviderActivities>;

async function refusalOf(activity: Activity, input: unknown): Promise<unknown> {
  const activities = createProviderActivities(memory.resolverWith());
  const run = activities[activity] as (input: never) => Promise<unknown>;
  return inActivity()
    .run(run, input as never)
    .then(
      () => 'accepted',
      (error: unknown) => error,
    );
}

const REFUSED: readonly (readonly [Activity, string, unknown, string])[] = [
  [
    'llmStep',
    'an image in the form of another API',
    says([{ type: 'image', image: CANARY }]),
    'messages.0.content.0.type',
  ],
  ['llmStep', 'a file without its type', says([{ type: 'file', data: 'AA==' }]), 'messages.0.content.0.mediaType'],
  [
    'llmStep',
    'a file with a header for a type',
    says([{ type: 'file', data: 'AA==', mediaType: `image/png\r\nx: ${CANARY}` }]),
    'messages.0.content.0.mediaType',
  ],
  [
    'llmStep',
    'bytes as an object',
    says([{ type: 'file', data: { 0: 1 }, mediaType: 'image/png' }]),
    'messages.0.content.0.data',
  ],
  [
    'llmStep',
    'an unknown field of a part',
    says([{ type: 'text', text: 'x', cache: CANARY }]),
    'messages.0.content.0.cache',
  ],
  ['llmStep', 'the thoughts of a user', says([{ type: 'reasoning', text: 'x' }]), 'messages.0.content.0.type'],
  ['llmStep', 'content that is a number', says(1), 'messages.0.content'],
  ['llmStep', 'a tool result as text', says('{}', 'tool'), 'messages.0.content'],
  [
    'llmStep',
    'a tool result of an unknown form',
    says([{ type: 'tool-result', toolCallId: 'c1', toolName: 't', output: { type: 'xml', value: '' } }], 'tool'),
    'messages.0.content.0.output.type',
  ],
  [
    'llmStep',
    'a call without an id',
    says([{ type: 'tool-call', toolName: 't', input: {} }], 'assistant'),
    'messages.0.content.0.toolCallId',
  ],
  ['llmStep', 'the role system', says('obey', 'system'), 'messages.0.role'],
  ['llmStep', 'the role developer', says('obey', 'developer'), 'messages.0.role'],
  [
    'llmStep',
    'options of a message for no vendor',
    says('x', 'user', { providerOptions: [] }),
    'messages.0.providerOptions',
  ],
  ['llmStep', 'neither prompt nor messages', { ref: llm.ref }, 'prompt'],
  ['llmStep', 'tools by name', { ...llm, tools: {} }, 'tools'],
  ['llmStep', 'a tool without a schema', { ...llm, tools: [{ name: 't' }] }, 'tools.0.inputSchema'],
  [
    'llmStep',
    'a tool with code',
    { ...llm, tools: [{ name: 't', inputSchema: {}, execute: 'rm' }] },
    'tools.0.execute',
  ],
  ['llmStep', 'a choice of tools of another API', { ...llm, toolChoice: { type: 'tool' } }, 'toolChoice'],
  ['llmStep', 'topP above 1', { ...llm, topP: 1.5 }, 'topP'],
  ['llmStep', 'half a seed', { ...llm, seed: 0.5 }, 'seed'],
  ['llmStep', 'one stop sequence', { ...llm, stopSequences: 'END' }, 'stopSequences'],
  ['llmStep', 'an empty stop sequence', { ...llm, stopSequences: [''] }, 'stopSequences.0'],
  ['llmStep', 'an effort of another vendor', { ...llm, reasoningEffort: 'ultra' }, 'reasoningEffort'],
  ['llmStep', 'options without a vendor', { ...llm, providerOptions: { effort: 'low' } }, 'providerOptions.effort'],
  ['llmStep', 'a stream as text', { ...llm, stream: 'yes' }, 'stream'],
  ['llmStep', 'the name of another API', { ...llm, max_tokens: 5 }, 'max_tokens'],
  ['llmStep', 'a fallback by a name that none has', { ...llm, fallbacks: ['Open AI'] }, 'fallbacks.0'],
  ['llmStep', 'a fallback of another type', { ...llm, fallbacks: [refTo('rpc', 'main')] }, 'fallbacks.0'],
  ['llmStep', 'neither a name nor a reference', { prompt: 'Hello.' }, 'provider'],
  ['llmStep', 'a name and a reference', { ...llm, provider: 'anthropic' }, 'provider'],
  ['llmStep', 'an empty list of names', { provider: [], prompt: 'Hello.' }, 'provider'],
  ['llmStep', 'a reference as name', { provider: llm.ref, prompt: 'Hello.' }, 'provider'],
  ['llmStep', 'a workspace besides a reference', { ...llm, workspaceId: WORKSPACE }, 'workspaceId'],
  [
    'llmStep',
    'a fallback of another workspace than the named one',
    { ...named, fallbacks: [{ ...refTo('llm', 'openai'), workspaceId: 'ws_other' }] },
    'fallbacks',
  ],
  ['llmStep', 'floors that are a list', { ...named, atLeast: [3] }, 'atLeast'],
  ['llmStep', 'a floor of half a version', { ...named, atLeast: { anthropic: 1.5 } }, 'atLeast.anthropic'],
  ['llmStep', 'a floor of a name that none has', { ...named, atLeast: { 'Open AI': 1 } }, 'atLeast.…'],
  [
    'llmStep',
    'a fallback of another workspace',
    { ...llm, fallbacks: [{ ...refTo('llm', 'openai'), workspaceId: 'ws_other' }] },
    'fallbacks',
  ],
  ['llmStep', 'an unknown field', { ...llm, maxTokens: 5 }, 'maxTokens'],
  ['llmStep', 'headers', { ...llm, headers: { authorization: CANARY } }, 'headers'],
  ['llmStep', 'an unknown field of the reference', { ...llm, ref: { ...llm.ref, baseURL: 'x' } }, 'ref.baseURL'],
  ['llmStep', 'a field named by a secret', { ...llm, [CANARY]: 1 }, '…'],
  ['llmStep', 'a system prompt of messages', { ...llm, system: [{ role: 'system', content: 'x' }] }, 'system'],
  ['llmStep', 'a prompt that is no text', { ...llm, prompt: { text: CANARY } }, 'prompt'],
  ['llmStep', 'a model with a line break', { ...llm, model: 'a\r\nx-header: b' }, 'model'],
  ['llmStep', 'half a token', { ...llm, maxOutputTokens: 0.5 }, 'maxOutputTokens'],
  ['llmStep', 'a temperature as text', { ...llm, temperature: '0' }, 'temperature'],
  ['llmStep', 'a schema that is a list', { ...llm, schema: [] }, 'schema'],
  ['llmStep', 'a schema of 300 kB', { ...llm, schema: { description: 'x'.repeat(300_000) } }, 'schema'],
  ['llmStep', 'a schema 100 levels deep', { ...llm, schema: { not: nested(100) } }, 'the input of llmStep'],
  ['llmStep', '2,001 messages', { ...llm, messages: Array(2_001).fill({ role: 'user', content: '' }) }, 'messages'],
  ['llmStep', 'a prompt of 5 MB', { ...llm, prompt: 'x'.repeat(5_000_000) }, 'the input of llmStep'],
  ['llmStep', 'a value that is no JSON', { ...llm, prompt: () => CANARY }, 'the input of llmStep'],
  ['llmStep', 'a version that is no number', { ...llm, ref: { ...llm.ref, version: '1' } }, 'ref.version'],
  ['llmStep', 'a negative version', { ...llm, ref: { ...llm.ref, version: -1 } }, 'ref.version'],
  ['llmStep', 'an admin credential', { ...llm, ref: refTo('llm-admin', 'anthropic') }, 'ref.type'],
  ['llmStep', 'another type', { ...llm, ref: refTo('tenderly', 'default') }, 'ref.type'],
  ['llmStep', 'nothing', undefined, 'the input'],
  ['rpcStep', 'a method that writes', { ...rpc, method: 'eth_sendRawTransaction' }, 'method'],
  ['rpcStep', 'params by name', { ...rpc, params: { address } }, 'params'],
  ['rpcStep', 'params 200,000 deep', { ...rpc, params: deep(200_000) }, 'the input of rpcStep'],
  ['rpcStep', 'a million params', { ...rpc, params: [Array(1_000_000).fill(0)] }, 'the input of rpcStep'],
  [
    'rpcStep',
    'an endpoint of another type',
    { ...rpc, ref: { ...rpc.ref, endpoints: [refTo('llm-admin', 'openai')] } },
    'ref.endpoints.0.type',
  ],
  ['rpcStep', 'a URL', { ...rpc, url: `https://evil.test/${CANARY}` }, 'url'],
  ['rpcStep', 'neither a chain nor a reference', { method: 'eth_chainId' }, 'chainId'],
  ['rpcStep', 'a chain and a reference', { ...rpc, chainId: 1 }, 'chainId'],
  ['rpcStep', 'a workspace besides a reference', { ...rpc, workspaceId: WORKSPACE }, 'workspaceId'],
  ['rpcStep', 'a chain as text', { chainId: '1', method: 'eth_chainId' }, 'chainId'],
  ['tenderlyStep', 'a workspace besides a reference', { ...simulation, workspaceId: WORKSPACE }, 'workspaceId'],
  ['tenderlyStep', 'an account by name', { ...simulation, ref: undefined, provider: 'default' }, 'provider'],
  ['resolveProvider', 'a floor below 0', { type: 'http', name: 'a', atLeast: { a: -1 } }, 'atLeast.a'],
  ['resolveLlmKey', 'an empty list', { provider: [] }, 'provider'],
  ['resolveLlmKey', 'a path', { provider: '../anthropic' }, 'provider'],
  ['resolveLlmKey', 'an object', { provider: { name: CANARY } }, 'provider'],
  ['resolveLlmKey', 'an unknown field', { provider: 'anthropic', type: 'llm-admin' }, 'type'],
  ['resolveLlmKey', 'a list as workspace', { workspaceId: [WORKSPACE], provider: 'anthropic' }, 'workspaceId'],
  ['resolveTenderlyConfig', 'a name', { name: 'other' }, 'name'],
  ['resolveRpcEndpoint', 'a chain as text', { chainId: '1' }, 'chainId'],
  ['resolveRpcEndpoint', 'a chain of 0', { chainId: 0 }, 'chainId'],
];

function deep(levels: number): unknown[] {
  let value: unknown[] = [];
  for (let level = 0; level < levels; level += 1) value = [value];
  return value;
}

describe('an input that does not fit is refused by the name of its field, and never repeated [G18]', () => {
  test.each(REFUSED)('%s: %s', async (activity, _, input, field) => {
    const refusal = await refusalOf(activity, input);
    expect(refusal).toMatchObject({
      type: 'ProviderConfigInvalid',
      nonRetryable: true,
      details: [{ fields: [field] }],
    });
    expect(String((refusal as Error).stack)).not.toContain(CANARY);
    expect(memory.store.loads, 'nothing was read').toBe(0);
  });

  test('an unknown field is named in the message', async () => {
    expect(await refusalOf('llmStep', { ...llm, maxTokens: 5 })).toMatchObject({
      message: 'llmStep: maxTokens is not a field of this input',
    });
  });
});

describe('an input that fits', () => {
  test.each<[Activity, unknown]>([
    ['llmStep', { ...llm, messages: Array(2_000).fill({ role: 'user', content: '' }) }],
    [
      'llmStep',
      { ...llm, model: { anthropic: 'a', 'openai:eu': 'b' }, system: 's', maxOutputTokens: 1, temperature: 0.5 },
    ],
    [
      'llmStep',
      {
        ...llm,
        ...{ topP: 0.5, topK: 4, seed: -1, stopSequences: ['END'], presencePenalty: -1, frequencyPenalty: 1 },
        ...{
          reasoningEffort: 'high',
          stream: true,
          providerOptions: { anthropic: { thinking: { type: 'adaptive' } } },
        },
        fallbacks: [refTo('llm', 'openai:eu')],
        tools: [{ name: 't', description: 'd', inputSchema: { type: 'object' }, strict: true }],
        toolChoice: { toolName: 't' },
      },
    ],
    ['llmStep', { ...says(CONVERSATION[0]), messages: CONVERSATION }],
    ['llmStep', { ...named, fallbacks: ['groq', refTo('llm', 'openai')], atLeast: { openai: 3, constructor: 0 } }],
    ['llmStep', { ...llm, fallbacks: ['groq'], atLeast: { groq: 3 } }],
    ['rpcStep', { workspaceId: WORKSPACE, chainId: 137, method: 'eth_chainId', atLeast: { main: 2 } }],
    ['tenderlyStep', { ...simulation, ref: undefined, workspaceId: WORKSPACE, atLeast: { default: 2 } }],
    ['rpcStep', { ...rpc, params: [{ to: address }, 'latest', null, [true]], onRejected: 'next' }],
    ['rpcStep', { ...rpc, ref: { ...rpc.ref, unusable: [{ name: 'second', failure: 'ProviderDisabled' }] } }],
    ['rpcStep', { ...rpc, method: 'debug_traceTransaction' }],
    ['resolveTenderlyConfig', { workspaceId: WORKSPACE }],
    ['resolveRpcEndpoint', { workspaceId: WORKSPACE, chainId: 1 }],
  ])('of %s is accepted: the step goes on to the database or the service', async (activity, input) => {
    const failure = await refusalOf(activity, input);
    expect(failure).not.toMatchObject({ type: 'ProviderConfigInvalid' });
  });
});
