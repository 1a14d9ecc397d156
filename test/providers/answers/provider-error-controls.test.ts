/**
 * The controls of the public reports: what came out right when they were tried, one by one. A rule that is added for
 * another answer must not change them. Each names the report.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { createLlmStep } from '../../../src/activities/llm-step.js';
import { toFailure } from '../../../src/activities/run-activity.js';
import { onceMore } from '../../../src/egress/dropped-connection.js';
import { createFetch, type HttpClient } from '../../../src/egress/http-client.js';
import type { FailureType } from '../../../src/protocol/failure-types.js';
import { simulate } from '../../../src/providers/tenderly/simulation.js';
import { isPassedOver } from '../../../src/resolver/chain-endpoints.js';
import type { LlmRequest, LlmStepResult } from '../../../src/workflow.js';
import { LOOPBACK_POLICY } from '../../../testbed/loopback.js';
import { startLlmStandIn } from '../../../testbed/standins/llm.js';
import { inActivity } from '../../activities/in-activity.js';
import { resolverInMemory, WORKSPACE } from '../../resolver/resolver-in-memory.js';
import { parseProvider, toProviderError } from '../../support/built-in-types.js';
import { viemCall, viem as viemRead } from '../callers.js';
import { type ServiceReply, startService } from '../local-service.js';
import { llm, rpc, thrownBy } from './outcomes.js';

const KEY = 'canary-key-5e1f0c7d';
const memory = resolverInMemory();
let http: HttpClient;
beforeAll(() => {
  http = createFetch({ egress: LOOPBACK_POLICY });
});
afterAll(() => http.close());

const signal = new AbortController().signal;
const chat = (content: unknown) => ({
  choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
});
const failed = (code: number, message: string, data?: unknown) => ({
  jsonrpc: '2.0',
  id: 1,
  error: { code, message, data },
});

/** Asks a model at this base URL, by the step itself. */
async function stepAt(name: string, config: object, input: LlmRequest = {}): Promise<LlmStepResult> {
  await memory.store.put(WORKSPACE, 'llm', name, { model: 'a-model', ...config }, { apiKey: KEY });
  const resolver = memory.resolverWith({ fetch: http.fetch });
  const ref = await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: name });
  const step = createLlmStep(resolver);
  return (await inActivity().run(step, { ref, prompt: 'Judge.', ...input })) as LlmStepResult;
}

async function stepWith(reply: ServiceReply, name = 'gateway', config: object = {}) {
  const { url, requests } = await startService(reply);
  const result = await stepAt(name, { baseURL: name === 'openai' ? `${url}/v1` : url, ...config }).catch(
    (error: unknown) => error as LlmStepResult,
  );
  return { result, requests };
}

/** Asks for an object that the stand-in of that vendor answers as its API does. */
async function objectOf(vendor: 'anthropic' | 'openai' | 'gemini', model: string, schema: object, answer: unknown) {
  const standIn = await startLlmStandIn({
    keys: [{ provider: vendor, key: KEY, owner: WORKSPACE }],
    answer: () => JSON.stringify(answer),
  });
  onTestFinished(() => standIn.stop());
  const config = { baseURL: standIn.baseUrls[vendor].sdk, model };
  return stepAt(vendor, config, { schema: schema as LlmRequest['schema'] });
}

const object = (properties: object) => ({
  ...{ type: 'object', properties, required: Object.keys(properties), additionalProperties: false },
});

async function ofRpc(status: number, body: unknown, type: FailureType, then: 'next' | 'ends', caller = viemRead) {
  const outcome = toProviderError(await thrownBy(caller, { status, body }, { fetch: http.fetch }), rpc);
  expect(outcome).toMatchObject({ type });
  expect(outcome && isPassedOver(outcome)).toBe(then === 'next');
}

async function waitOf(seconds: number) {
  const reply = { status: 429, headers: { 'retry-after': String(seconds) }, body: failed(-32005, 'slow') };
  const outcome = toProviderError(await thrownBy(viemRead, reply, { fetch: http.fetch }), rpc);
  return toFailure(outcome, 1);
}

const CONTROLS: readonly (readonly [what: string, reports: string, check: () => Promise<void>])[] = [
  [
    'a body that is labelled as text is read',
    'nodejs/undici#2603',
    async () => {
      const { result } = await stepWith({
        status: 200,
        headers: { 'content-type': 'text/plain' },
        body: chat('hello'),
      });
      expect(result.text).toBe('hello');
    },
  ],
  [
    'a body that is cut is an outage',
    'nodejs/undici#2603',
    async () => {
      const { result } = await stepWith({ status: 200, body: chat('hello'), isCut: true });
      expect(result).toMatchObject({ type: 'ProviderUnavailable', nonRetryable: false });
    },
  ],
  [
    'a body that is compressed twice is refused with what to check',
    'nodejs/undici#3762',
    async () => {
      const server = createServer((_, response) => {
        response.writeHead(200, { 'content-encoding': 'gzip, gzip' }).end(gzipSync(gzipSync('{}')));
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      onTestFinished(() => void server.close());
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const result = await stepAt('gateway', { baseURL: url }).catch((error: unknown) => error);
      expect(result).toMatchObject({ type: 'ProviderConfigInvalid', message: expect.stringContaining('encoding') });
    },
  ],
  [
    'content in parts is one text',
    'vercel/ai#13703, #8012',
    async () => {
      const text = (each: string) => ({ type: 'text', text: each });
      const anthropic = await stepWith(
        {
          status: 200,
          body: {
            ...{ id: 'm', type: 'message', role: 'assistant', model: 'x', stop_reason: 'end_turn' },
            ...{ content: [text('hel'), text('lo')], usage: { input_tokens: 1, output_tokens: 1 } },
          },
        },
        'anthropic',
        { model: 'claude-sonnet-5-5' },
      );
      expect(anthropic.result.text).toBe('hello');
      const parts = [{ text: 'hel' }, { text: 'lo' }];
      const gemini = await stepWith(
        { status: 200, body: { candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP' }] } },
        'gemini',
        { model: 'gemini-2.5-flash' },
      );
      expect(gemini.result.text).toBe('hello');
    },
  ],
  [
    'a blocked prompt is no bug of ours, and is asked once',
    'vercel/ai#19758',
    async () => {
      const body = { promptFeedback: { blockReason: 'SAFETY' } };
      const { result, requests } = await stepWith({ status: 200, body }, 'gemini', { model: 'gemini-2.5-flash' });
      expect((result as unknown as { type?: string }).type).not.toBe('UnexpectedError');
      expect(requests).toHaveLength(1);
    },
  ],
  [
    'the id of a model that is newer than the SDK is sent as it is',
    'vercel/ai#17596',
    async () => {
      const body = {
        id: 'm',
        type: 'message',
        role: 'assistant',
        model: 'x',
        content: [{ type: 'text', text: 'hello' }],
        stop_reason: 'end_turn',
        usage: { input_tokens: 1, output_tokens: 1 },
      };
      const { result, requests } = await stepWith({ status: 200, body }, 'anthropic', { model: 'claude-opus-9-1' });
      expect(result.text).toBe('hello');
      expect(JSON.parse(requests[0]?.body ?? '')).toMatchObject({ model: 'claude-opus-9-1' });
    },
  ],
  [
    'a temperature is not sent to a model that refuses it',
    'The-PR-Agent/pr-agent#2456',
    async () => {
      const standIn = await startLlmStandIn({
        keys: [{ provider: 'openai', key: KEY, owner: WORKSPACE }],
        answer: () => 'hello',
      });
      onTestFinished(() => standIn.stop());
      const bodies: string[] = [];
      const fetch: typeof http.fetch = (input, init) => {
        bodies.push(String(init?.body));
        return http.fetch(input, init);
      };
      await memory.store.put(
        WORKSPACE,
        'llm',
        'openai',
        { baseURL: standIn.baseUrls.openai.sdk, model: 'gpt-5-mini' },
        { apiKey: KEY },
      );
      const resolver = memory.resolverWith({ fetch });
      const ref = await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'openai' });
      const input = { ref, prompt: 'Judge.', temperature: 0.2 };
      expect(await inActivity().run(createLlmStep(resolver), input)).toMatchObject({ text: 'hello' });
      expect(JSON.parse(bodies[0] ?? '')).not.toHaveProperty('temperature');
    },
  ],
  [
    'a date-time with an offset and a time fit their formats',
    'colinhacks/zod#6296, #6452',
    async () => {
      const schema = object({ at: { type: 'string', format: 'date-time' }, daily: { type: 'string', format: 'time' } });
      const answer = { at: '2026-11-29T10:00:00+02:00', daily: '10:00:00Z' };
      expect((await objectOf('openai', 'gpt-5-mini', schema, answer)).object).toEqual(answer);
    },
  ],
  [
    'bounds in a schema are served at Anthropic, and held',
    'laravel/ai#715',
    async () => {
      const schema = object({ share: { type: 'number', minimum: 0, maximum: 1 } });
      expect((await objectOf('anthropic', 'claude-sonnet-5-5', schema, { share: 0.5 })).object).toEqual({ share: 0.5 });
      const beyond = await objectOf('anthropic', 'claude-sonnet-5-5', schema, { share: 2 }).catch((error) => error);
      expect(beyond).toMatchObject({ type: 'AnswerUnusable', nonRetryable: true });
    },
  ],
  [
    'a reference in a schema is served at Gemini',
    'Portkey-AI/gateway#1233',
    async () => {
      const schema = { ...object({ of: { $ref: '#/$defs/name' } }), $defs: { name: { type: 'string' } } };
      expect((await objectOf('gemini', 'gemini-2.5-flash', schema, { of: 'x' })).object).toEqual({ of: 'x' });
    },
  ],
  [
    'Retry-After of an hour is waited, and one beyond the two hours of a step is left to Temporal, which ends it at once',
    'github/copilot-cli#2760, jasonacox/TinyLLM#17',
    async () => {
      expect(await waitOf(3_600)).toMatchObject({ nextRetryDelay: 3_600_000, nonRetryable: false });
      // That it ends at once is shown on a real server: test/integration/retry-hints.integration.test.ts
      expect(await waitOf(10_800)).toMatchObject({ nextRetryDelay: 10_800_000, type: 'ProviderRateLimited' });
    },
  ],
  [
    '-32011 with a 429 is a rate limit',
    'circlefin/arc-node#207',
    () => ofRpc(429, failed(-32011, 'limit'), 'ProviderRateLimited', 'next'),
  ],
  [
    "dRPC's code 30 passes",
    'enviodev/hyperindex#715',
    () => ofRpc(408, failed(30, 'Request timeout on the free tier'), 'ProviderUnavailable', 'next'),
  ],
  [
    '-32015 is a revert',
    'NethermindEth/nethermind#2098',
    () =>
      ofRpc(
        200,
        failed(-32015, 'VM execution error.', 'Reverted 0x08c379a0'),
        'ProviderRequestInvalid',
        'ends',
        viemCall,
      ),
  ],
  [
    'an unknown block passes',
    'paradigmxyz/reth#5696',
    () => ofRpc(200, failed(-32001, 'Unknown block'), 'ProviderUnavailable', 'next'),
  ],
  [
    'pruned state with the code of an internal error is asked of the next endpoint',
    'paradigmxyz/reth#4092',
    () => ofRpc(200, failed(-32603, 'state at block #1 is pruned'), 'ProviderRequestInvalid', 'next'),
  ],
  [
    'a range of logs that is too large is refused at once',
    'INFURA/infura#237, zeta-chain/node#3265',
    async () => {
      await ofRpc(200, failed(-32005, 'query returned more than 10000 results'), 'ProviderRequestInvalid', 'ends');
      await ofRpc(200, failed(-32602, 'exceed maximum block range: 5000'), 'ProviderRequestInvalid', 'ends');
    },
  ],
  [
    "a revert within Tenderly's 200 is a result",
    'cowprotocol/services#1858',
    async () => {
      const transaction = { status: false, gas_used: 30_000, error_message: 'execution reverted' };
      const { url } = await startService({ status: 200, body: { transaction, simulation: { status: false } } });
      const config = { account: 'a', project: 'b', baseURL: url };
      const { credential } = parseProvider('tenderly', 'default', config, { accessKey: KEY });
      const from = `0x${'1'.repeat(40)}`;
      const request = { networkId: '1', transaction: { from, to: from } };
      const result = await simulate(credential as never, request, { fetch: http.fetch, signal });
      expect(result).toMatchObject([{ success: false, errorMessage: 'execution reverted' }]);
    },
  ],
  [
    'a key with a newline is refused with the rule',
    'the notes; that the command takes it off: test/cli',
    async () => {
      expect(() => parseProvider('llm', 'openai', {}, { apiKey: `${KEY}\n` })).toThrow(/without spaces/);
    },
  ],
  [
    'a chain id with leading zeros is the chain',
    'the notes',
    async () => {
      for (const result of ['0x01', '0x0000000000001']) {
        const { url } = await startService({ status: 200, body: { jsonrpc: '2.0', id: 1, result } });
        const parsed = parseProvider('rpc', 'main', { chainId: 1 }, { url });
        const checked = await parsed.service.check({ fetch: http.fetch, signal });
        expect(checked).toMatchObject({ outcome: 'ok' });
      }
    },
  ],
  [
    'a socket that the service drops is not noticed by a read',
    'the notes',
    async () => {
      let requests = 0;
      const server = createServer((request, response) => {
        requests += 1;
        if (requests === 2) request.socket.destroy();
        else response.end('{}');
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      onTestFinished(() => void server.close());
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const read = () => onceMore(http.fetch)(url, { method: 'POST', body: '{}' }).then((response) => response.text());
      expect([await read(), await read()]).toEqual(['{}', '{}']);
      expect(requests).toBe(3);
    },
  ],
  [
    'white space before JSON is skipped',
    'the notes',
    async () => {
      const { result } = await stepWith({ status: 200, body: `\n\n  ${JSON.stringify(chat('hello'))}` });
      expect(result.text).toBe('hello');
    },
  ],
];

it.each(CONTROLS)('%s (%s)', async (_what, _reports, check) => {
  await check();
});

it('a rate limit of a model stays one, whatever it says of billing', async () => {
  const body = { error: { code: 429, message: 'Rate limit exceeded. Add credits to unlock more requests per day' } };
  const { result } = await stepWith({ status: 429, body });
  expect(result).toMatchObject({ type: 'ProviderRateLimited', message: expect.stringContaining(llm('gateway').name) });
});
