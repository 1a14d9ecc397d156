/**
 * A credential as viem takes it. Retries are off: viem retries a 403, which is what many hosts answer to a dead key,
 * and Temporal retries what is worth it.
 */
import { type HttpTransport, http } from 'viem';
import type { Fetch } from '../../egress/http-client.js';
import type { RpcCredential } from './rpc.js';

/** A JSON-RPC read that takes longer has failed. */
const REQUEST_TIMEOUT_MS = 30_000;

/**
 * The transport for `createPublicClient({ transport })`. viem's errors hold the whole URL: do not log them.
 *
 * @param fetch - default the global one; in an activity, the one that `withProvider` hands over
 * @param signal - ends the calls in flight
 */
export function viemTransport(credential: RpcCredential, fetch?: Fetch, signal?: AbortSignal): HttpTransport {
  const headers = Object.entries(credential.headers).map(([name, value]) => [name, value.reveal()] as const);
  const open = http(credential.url.reveal(), {
    fetchFn: fetch,
    fetchOptions: { headers: Object.fromEntries(headers), signal },
    retryCount: 0,
    timeout: REQUEST_TIMEOUT_MS,
  });
  // Without `value`, in which viem shows URL and headers on each client of the transport; its calls do not read it.
  return (options) => ({ ...open(options), value: undefined });
}
