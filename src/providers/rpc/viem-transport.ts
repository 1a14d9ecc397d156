/**
 * Converts a credential to a transport of viem. Its retries are off: viem retries a 403, which many hosts answer to a
 * dead key, and Temporal retries what is worth a retry.
 */
import { onceMore } from '../../egress/dropped-connection.js';
import type { Fetch } from '../../egress/http-client.js';
import { ProviderError } from '../../protocol/errors.js';
import { isRpcReadMethod } from '../../protocol/rpc-methods.js';
import { parseJson } from '../../redaction/parse-json.js';
import { rpcAnswers } from '../answers/rpc-answer.js';
import { optionalPackage } from '../optional-package.js';
import type { RpcCredential } from './rpc.js';

/**
 * A transport as viem's clients accept it. Declared here, so that a project without viem can check this package's types.
 */
// biome-ignore lint/suspicious/noExplicitAny: viem's types cannot be named without viem
export type ViemTransport = (options: any) => { readonly config: any; readonly request: any; readonly value: any };

/** The time limit of a JSON-RPC call. */
const REQUEST_TIMEOUT_MS = 30_000;

/**
 * Returns the transport for `createPublicClient({ transport })`. It calls the placeholder of the endpoint's URL, which viem's
 * errors contain.
 *
 * A contract can ask for an off-chain look-up (EIP-3668), for which viem would call the contract's URL by its own means.
 * With this transport such a call fails.
 *
 * @param fetch - the one that the callback of `withProvider` receives
 * @param signal - ends the calls in flight
 * @throws ProviderError `SetupInvalid` if viem is not installed
 */
export function viemTransport(credential: RpcCredential, fetch: Fetch, signal?: AbortSignal): ViemTransport {
  const open = viem().http(credential.url, {
    fetchFn: rpcAnswers(readsOnceMore(fetch)),
    fetchOptions: { signal },
    maxResponseBodySize: false, // `fetch` has a limit, with a failure that says what to do
    retryCount: 0,
    timeout: REQUEST_TIMEOUT_MS,
  });
  // Without `value`: viem exposes the URL and the headers there, on each client. Calls do not read it.
  return (options) => {
    const transport = open(options);
    const request = ((...call: Parameters<typeof transport.request>) =>
      transport.request(...call).catch((error: unknown) => {
        throw isOffchainLookup(error) ? offchainLookupRefused() : error;
      })) as typeof transport.request;
    return { ...transport, request, value: undefined };
  };
}

/** viem sends a text. A transaction is not sent twice. */
function readsOnceMore(fetch: Fetch): Fetch {
  const repeating = onceMore(fetch);
  return (input, init) => {
    const { method } = (parseJson(String(init?.body)) ?? {}) as { readonly method?: unknown };
    return (isRpcReadMethod(String(method)) ? repeating : fetch)(input, init);
  };
}

/** The selector of `OffchainLookup`, in the data of the revert. */
const OFFCHAIN_LOOKUP = '0x556f1830';

function isOffchainLookup(error: unknown): boolean {
  const { data } = (error ?? {}) as { readonly data?: unknown };
  const revert = typeof data === 'object' && data !== null ? (data as { readonly data?: unknown }).data : data;
  return typeof revert === 'string' && revert.toLowerCase().startsWith(OFFCHAIN_LOOKUP);
}

function offchainLookupRefused(): ProviderError {
  const message = 'the contract asks for an off-chain look-up (EIP-3668), which is not supported';
  return new ProviderError('ProviderRequestInvalid', message);
}

/** @internal */
export function viem(): typeof import('viem') {
  return optionalPackage('viem', () => require('viem'));
}
