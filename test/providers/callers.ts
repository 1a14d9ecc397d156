/** The client libraries that steps and users' activities call services with, used as they are in practice. */
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import { generateText } from 'ai';
import OpenAI from 'openai';
import { createPublicClient } from 'viem';
import type { Fetch } from '../../src/egress/http-client.js';
import { aiSdkModel } from '../../src/providers/llm/ai-sdk-model.js';
import type { RpcCredential } from '../../src/providers/rpc/rpc.js';
import { viemTransport } from '../../src/providers/rpc/viem-transport.js';
import { parseProvider } from '../support/built-in-types.js';
export const KEY = 'canary-key-5e1f0c7d';

export interface Call {
  readonly url: string;
  readonly fetch: Fetch;
  readonly signal?: AbortSignal;
  /** The retries of the AI SDK itself; other callers ignore it. Default: 0. */
  readonly maxRetries?: number;
}

export type Caller = (call: Call) => Promise<unknown>;

/** The AI SDK, for a provider of that name. */
export function aiSdk(name: string): Caller {
  return ({ url, fetch, signal, maxRetries = 0 }) => {
    const { credential: own } = parseProvider('llm', name, { baseURL: 'https://own.example' }, { apiKey: KEY });
    // A config refuses some notations of an address, which the HTTP client must refuse as well.
    const credential = { ...own, baseURL: `${url}${name === 'openai' ? '/v1' : ''}` };
    return generateText({
      model: aiSdkModel(credential, 'a-model', fetch),
      prompt: 'hi',
      maxRetries,
      abortSignal: signal,
    });
  };
}

export const anthropicSdk: Caller = ({ url, fetch, signal }) =>
  new Anthropic({ apiKey: KEY, authToken: null, baseURL: url, fetch, maxRetries: 0 }).messages.create(
    { model: 'a-model', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] },
    { signal },
  );

export const anthropicSdkStream: Caller = ({ url, fetch, signal }) =>
  new Anthropic({ apiKey: KEY, authToken: null, baseURL: url, fetch, maxRetries: 0 }).messages
    .stream({ model: 'a-model', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] }, { signal })
    .finalMessage();

export const openaiSdk: Caller = ({ url, fetch, signal }) =>
  new OpenAI({ apiKey: KEY, baseURL: `${url}/v1`, fetch, maxRetries: 0 }).responses.create(
    { model: 'a-model', input: 'hi' },
    { signal },
  );

export const openaiSdkStream: Caller = async ({ url, fetch, signal }) => {
  const openai = new OpenAI({ apiKey: KEY, baseURL: `${url}/v1`, fetch, maxRetries: 0 });
  const stream = await openai.chat.completions.create(
    { model: 'a-model', messages: [{ role: 'user', content: 'hi' }], stream: true },
    { signal },
  );
  for await (const _chunk of stream);
};

export const googleSdk: Caller = ({ url, fetch, signal }) =>
  new GoogleGenAI({ apiKey: KEY, httpOptions: { baseUrl: url, fetch } }).models.generateContent({
    model: 'a-model',
    contents: 'hi',
    config: { abortSignal: signal },
  });

/** viem, with the key itself in the path of the URL, as after `reveal`. */
export const viem: Caller = ({ url, fetch, signal }) => {
  const credential = revealedEndpoint(url);
  return createPublicClient({ transport: viemTransport(credential, fetch, signal) }).getBalance({
    address: '0x0000000000000000000000000000000000000001',
  });
};

export const viemCall: Caller = ({ url, fetch, signal }) => {
  const credential = revealedEndpoint(url);
  return createPublicClient({ transport: viemTransport(credential, fetch, signal) }).readContract({
    address: '0x0000000000000000000000000000000000000001',
    abi: [
      { type: 'function', name: 'totalSupply', inputs: [], outputs: [{ type: 'uint256' }], stateMutability: 'view' },
    ],
    functionName: 'totalSupply',
  });
};

export const plainFetch: Caller = async ({ url, fetch, signal }) => {
  const response = await fetch(`${url}/${KEY}`, { signal });
  await response.text();
};

function revealedEndpoint(url: string): RpcCredential {
  const { service } = parseProvider('rpc', 'mainnet', { chainId: 1 }, { url: `${url}/v2/${KEY}` });
  return service.reveal() as RpcCredential;
}
