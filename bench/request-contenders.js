/**
 * The contenders of a request: each returns a function that sends one and reads its answer. All have the same body and
 * the same answer, and keep their connection. The floor is the least that a client does: undici, with the key in a header.
 */
import { Agent, fetch as undiciFetch } from 'undici';
import { createFetch } from '../dist/egress/http-client.js';
import { EgressPolicy } from '../dist/egress/policy.js';
import { resolverInMemory } from './memory-resolver.js';

export const FLOOR = 'floor: undici, the key in a header';
export const BODY = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_blockNumber', params: ['0'.repeat(512)] });
export const ANSWER = JSON.stringify({ jsonrpc: '2.0', id: 1, result: '0'.repeat(512) });

/** @typedef {{ origin: string, apiKey: string, endpointPath: string }} Service */

/** @type {Record<string, (service: Service) => Promise<() => Promise<void>> | (() => Promise<void>)>} */
export const REQUESTS = {
  [FLOOR]: ({ origin, apiKey }) => {
    const dispatcher = new Agent({ allowH2: false });
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` };
    return () =>
      checked(undiciFetch(`${origin}/v1`, { method: 'POST', body: BODY, headers, dispatcher, redirect: 'manual' }));
  },
  'the HTTP client of the package, the key in a header': ({ origin, apiKey }) => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` };
    const { fetch } = client();
    return () => checked(fetch(`${origin}/v1`, { method: 'POST', body: BODY, headers }));
  },
  'ours: the fetch of an LLM provider': async (service) => {
    const resolver = resolverOf(service);
    const reference = await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'local' });
    const { fetch } = await openStep((use) => resolver.withProvider(reference, use));
    const headers = { 'content-type': 'application/json', authorization: 'Bearer a placeholder' };
    return () => checked(fetch('/', { method: 'POST', body: BODY, headers }));
  },
  'ours: the fetch of an RPC provider, its URL secret': async (service) => {
    const resolver = resolverOf(service);
    const reference = await resolver.resolveRpcEndpoint({ workspaceId: WORKSPACE, chainId: 1 });
    const { fetch, credential } = await openStep((use) => resolver.withProvider(reference, use));
    const headers = { 'content-type': 'application/json' };
    return () => checked(fetch(credential.url, { method: 'POST', body: BODY, headers }));
  },
};

const WORKSPACE = 'ws_bench';

function client() {
  return createFetch({ egress: new EgressPolicy({ networks: ['loopback'] }) });
}

/** @param {Service} service */
function resolverOf({ origin, apiKey, endpointPath }) {
  const providers = [
    { type: 'llm', name: 'local', config: { baseURL: `${origin}/v1` }, secret: { apiKey } },
    { type: 'rpc', name: 'local', config: { chainId: 1 }, secret: { url: `${origin}${endpointPath}` } },
  ];
  const { fetch, within } = client();
  return resolverInMemory([WORKSPACE], () => providers, { fetch, within });
}

/**
 * A step that does not end: what its callback is given.
 *
 * @template Call
 * @param {(use: (call: Call) => Promise<void>) => Promise<void>} withProvider
 * @returns {Promise<Call>}
 */
function openStep(withProvider) {
  return new Promise((begun, failed) => {
    withProvider(async (call) => {
      begun(call);
      await new Promise(() => {});
    }).catch(failed);
  });
}

/** @param {Promise<{ status: number, text(): Promise<string> }>} sent */
async function checked(sent) {
  const response = await sent;
  if (response.status !== 200 || (await response.text()) !== ANSWER)
    throw new Error('the answer is not that of the service');
}
