/**
 * Services on the wire, for tests that use a real HTTP client: servers on loopback that speak the documented formats,
 * know which key each call came with, and fail on request.
 */
import { parseJson } from '../redaction/parse-json.js';
import { anthropic } from './services/anthropic.js';
import { KeyRing } from './services/calls.js';
import type { Failure } from './services/controls.js';
import { gemini } from './services/gemini.js';
import { modelService } from './services/model-service.js';
import { openai, openaiCompatible } from './services/openai.js';
import { rpcService } from './services/rpc.js';
import { hex, type SimulationRequest } from './services/simulation-request.js';
import { tenderlyResult } from './services/simulation-result.js';
import { type Reply, type Service, startStandIn } from './services/stand-in.js';
import { tenderlyService } from './services/tenderly.js';

/** What a stand-in is asked. `owner` is the owner of the key that the call came with. */
export interface StandInQuestions {
  readonly anthropic: ModelQuestion;
  readonly openai: ModelQuestion;
  /** Any service that speaks OpenAI's Chat Completions API. */
  readonly 'openai-compatible': ModelQuestion;
  readonly gemini: ModelQuestion;
  readonly tenderly: SimulationQuestion;
  readonly rpc: RpcQuestion;
}

export interface ModelQuestion {
  readonly owner: string;
  readonly model: string;
  /** All text that the model gets. */
  readonly prompt: string;
  /** Whether the answer must be JSON. */
  readonly wantsJson: boolean;
  /** The JSON Schema of the answer, if the call has one. */
  readonly schema?: Readonly<Record<string, unknown>>;
}

export interface SimulationQuestion {
  readonly owner: string;
  readonly from: string;
  /** Absent for a transaction that creates a contract. */
  readonly to?: string;
  readonly input: string;
  /** In wei, as decimal text. */
  readonly value: string;
}

export interface RpcQuestion {
  readonly owner: string;
  readonly method: string;
  readonly params: readonly unknown[];
}

/** What a stand-in answers. */
export interface StandInAnswers {
  /** The model's text; JSON text if `wantsJson`. */
  readonly anthropic: string;
  readonly openai: string;
  readonly 'openai-compatible': string;
  readonly gemini: string;
  readonly tenderly: SimulationAnswer;
  /** The `result` of JSON-RPC. `undefined` is the default answer. */
  readonly rpc: unknown;
}

export interface SimulationAnswer {
  /** Why the transaction fails: `execution reverted`. Absent if it succeeds. */
  readonly error?: string;
  /** Default: 21,000. */
  readonly gasUsed?: number;
  /** What the call returns, in hexadecimal. Default: `0x`. */
  readonly output?: string;
}

export type StandInServiceName = keyof StandInQuestions;

export interface StandInServiceOptions<Name extends StandInServiceName> {
  /** The keys that the service accepts, each with the workspace that it belongs to. */
  readonly keys?: Readonly<Record<string, string>>;
  /**
   * What the service answers. Default: a model names itself and the owner of the key, or returns the plainest object
   * that fits the schema; a simulation succeeds; an endpoint is at block 1 of chain 1, and returns `0x0` otherwise. What
   * the function of `rpc` throws is an error of JSON-RPC.
   */
  readonly answer?: (question: StandInQuestions[Name]) => StandInAnswers[Name] | Promise<StandInAnswers[Name]>;
  /** Default: a free port. */
  readonly port?: number;
}

/** A call that reached a stand-in. */
export interface StandInCall {
  /** The time of arrival, as ISO 8601. */
  readonly at: string;
  readonly method: string;
  /** The path without its query, and with `…` in place of a key. */
  readonly path: string;
  /** The owner of the key, also after the key was revoked; `unknown-key` or `no-key` if it has no owner. */
  readonly owner: string;
  /** The HTTP status of the answer. Absent if there was none. */
  readonly status?: number;
}

export interface StandInFailure {
  /** The HTTP status, with the body that the service documents for it; `cut` ends the connection without an answer. */
  readonly status: number | 'cut';
  /** In place of the documented body. */
  readonly body?: string | object;
  readonly headers?: Readonly<Record<string, string>>;
  /** Only calls with a key of this owner fail. Default: all calls. */
  readonly owner?: string;
  /** The number of calls that fail. Default: 1. */
  readonly times?: number;
}

/** A running stand-in. */
export interface StandInService {
  /** The base URL, as a provider's config takes it. For `rpc`: an endpoint's URL is `${url}/${key}`. */
  readonly url: string;
  /** The calls so far, in the order of arrival. */
  calls(): readonly StandInCall[];
  /** Makes the next calls fail. Returns a function that cancels it. */
  failNext(failure: StandInFailure): () => void;
  /** Accepts another key. */
  admit(key: string, owner: string): void;
  /** Refuses a key from now on. */
  revoke(key: string): void;
  /** Stops the server and ends every connection. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Starts an HTTP server on loopback that speaks the API of a service, with streams, tools, structured output and
 * embeddings for models. A model calls each tool once, with the plainest arguments, and then answers.
 *
 * @example
 * const openai = await startStandInService('openai', { keys: { 'key-of-acme-for-tests': 'ws_acme' } });
 * const providers = testProviders(
 *   { ws_acme: { 'llm/openai': { apiKey: 'key-of-acme-for-tests', baseURL: openai.url } } },
 *   { service: 'loopback' },
 * );
 */
export async function startStandInService<Name extends StandInServiceName>(
  name: Name,
  { keys = {}, answer, port }: StandInServiceOptions<Name> = {},
): Promise<StandInService> {
  const ring = new KeyRing();
  const admit = (key: string, owner: string) => ring.admit(name, key, owner);
  for (const [key, owner] of Object.entries(keys)) admit(key, owner);
  const { path, service } = SERVICES[name](answer);
  const { url, calls, failNext, revoke, stop } = await startStandIn([service], ring, port);
  return {
    ...{ url: `${url}${path}`, admit, revoke, stop },
    failNext: ({ status, body, headers, owner, times }) =>
      failNext({ status, body, headers, owner, times } satisfies Failure),
    calls: () =>
      calls().map(({ at, method, path: called, owner, status }) => ({ at, method, path: called, owner, status })),
  };
}

type Answer<Name extends StandInServiceName> = StandInServiceOptions<Name>['answer'];

interface Mounted {
  /** The path of the base URL. */
  readonly path: string;
  readonly service: Service;
}

const SERVICES: {
  readonly [Name in StandInServiceName]: (answer: Answer<Name>) => Mounted;
} = {
  anthropic: (answer) => ({ path: '/anthropic', service: modelService(anthropic, { answer }) }),
  openai: (answer) => ({ path: '/openai/v1', service: modelService(openai, { answer }) }),
  'openai-compatible': (answer) => ({ path: '/compatible/v1', service: modelService(openaiCompatible, { answer }) }),
  gemini: (answer) => ({ path: '/gemini', service: modelService(gemini, { answer }) }),
  tenderly: (answer = () => ({})) => ({ path: '', service: tenderly(answer) }),
  rpc: (answer = plainResult) => ({ path: '/v2', service: rpc(answer) }),
};

const BLOCK = { number: 1, hash: `0x${'1'.repeat(64)}`, timestamp: '0x0', nonce: 0 };

function tenderly(answer: NonNullable<Answer<'tenderly'>>): Service {
  const simulate = async (request: SimulationRequest, owner: string) => {
    const { from, to, input, value, gas } = request;
    const { error, gasUsed = 21_000, output = '0x' } = await answer({ owner, from, to, input, value });
    const call = { type: to ? 'CALL' : 'CREATE', from, to, input, value: hex(value), gas: hex(gas) };
    const ended = { gasUsed: hex(gasUsed), output, ...(error !== undefined && { error }) };
    return tenderlyResult(request, { ...call, ...ended }, BLOCK);
  };
  return tenderlyService({
    // A key is good for every project of every account.
    projects: (_account, _owner, asked = 'project') => [asked],
    simulate: (requests, _isBundle, owner) => Promise.all(requests.map((request) => simulate(request, owner))),
  });
}

function rpc(answer: NonNullable<Answer<'rpc'>>): Service {
  const one = async (call: unknown, owner: string) => {
    const {
      id = null,
      method = '',
      params = [],
    } = Object(call) as { id?: unknown; method?: string; params?: unknown[] };
    const question = { owner, method, params };
    try {
      return { jsonrpc: '2.0', id, result: (await answer(question)) ?? plainResult(question) };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return { jsonrpc: '2.0', id, error: { code: -32000, message } };
    }
  };
  return rpcService({
    expectedOwner: () => undefined,
    async answer({ body }, owner): Promise<Reply> {
      const asked = parseJson(body);
      const all = Array.isArray(asked) ? asked : [asked];
      const results = await Promise.all(all.map((call) => one(call, owner)));
      return { status: 200, body: Array.isArray(asked) ? results : (results[0] ?? {}) };
    },
  });
}

function plainResult({ method }: RpcQuestion): string {
  return method === 'eth_chainId' || method === 'eth_blockNumber' ? '0x1' : '0x0';
}
