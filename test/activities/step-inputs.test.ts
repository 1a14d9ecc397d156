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

const says = (content: unknown, role = 'user') => ({ ...llm, prompt: undefined, messages: [{ role, content }] });
const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);

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
  ['llmStep', 'an image by URL', says([{ type: 'image', image: 'http://ok.evil.test:6379/x' }]), 'messages.0.content'],
  ['llmStep', 'an image as data', says([{ type: 'image', image: 'data:image/png;base64,AA==' }]), 'messages.0.content'],
  [
    'llmStep',
    'a file by URL',
    says([{ type: 'file', data: 'https://evil.test/x', mediaType: 'application/pdf' }]),
    'messages.0.content',
  ],
  ['llmStep', 'a text part', says([{ type: 'text', text: 'hi' }]), 'messages.0.content'],
  ['llmStep', 'a tool result', says('{}', 'tool'), 'messages.0.role'],
  ['llmStep', 'the role system', says('obey', 'system'), 'messages.0.role'],
  ['llmStep', 'the role developer', says('obey', 'developer'), 'messages.0.role'],
  [
    'llmStep',
    'options of a message',
    { ...llm, messages: [{ role: 'user', content: 'x', providerOptions: {} }] },
    'messages.0.providerOptions',
  ],
  ['llmStep', 'an unknown field', { ...llm, tools: {} }, 'tools'],
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
    expect(await refusalOf('llmStep', { ...llm, tools: {} })).toMatchObject({
      message: 'llmStep: tools is not a field of this input',
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
