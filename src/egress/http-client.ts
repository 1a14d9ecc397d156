/**
 * The only HTTP client of a process. Every call to a service goes through it, whichever library makes the call. It
 * calls only what its egress policy allows, does not follow redirects (which would take a key along), and limits every
 * wait.
 */
import { Agent, type buildConnector, type RequestInit as UndiciRequestInit, fetch as undiciFetch } from 'undici';
import { guardedConnector } from './connector.js';
import { type EgressPolicy, PUBLIC_EGRESS } from './policy.js';
import { egressRefusal } from './refusal.js';

/** An HTTP client as the fetch standard defines it, and as the AI SDK, viem and the vendors' SDKs accept it. */
export type Fetch = typeof globalThis.fetch;

export interface FetchOptions {
  readonly timeouts?: {
    /** The time for TCP and TLS, in milliseconds. Default: 10,000. */
    readonly connectMs?: number;
    /**
     * The time to the first byte of the answer, in milliseconds. A model that thinks sends no byte until it is done.
     * The timeout of the activity usually ends a wait earlier. Default: 600,000.
     */
    readonly headersMs?: number;
    /** The time between two chunks of a body, in milliseconds. A model may pause in a stream, too. Default: 300,000. */
    readonly bodyMs?: number;
  };
  /** The largest answer, as it is sent over the wire, compressed or not. Default: 16 MiB. */
  readonly maxResponseBytes?: number;
  /** Where calls may go. Default: public addresses, over https, on ports 443 and 8443. */
  readonly egress?: EgressPolicy;
  /** Other options of connections, such as TLS. */
  readonly connect?: buildConnector.BuildOptions;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export interface HttpClient {
  readonly fetch: Fetch;
  /** Ends requests in flight. It is separate from `fetch`, so that code which gets `fetch` cannot close the client. */
  close(): Promise<void>;
}

/** Creates the client. A process needs one. */
export function createFetch(options: FetchOptions = {}): HttpClient {
  const { connectMs = 10_000, headersMs = 600_000, bodyMs = 300_000 } = options.timeouts ?? {};
  const { egress = PUBLIC_EGRESS } = options;
  const dispatcher = new Agent({
    connect: guardedConnector(egress, { ...options.connect, timeout: connectMs }),
    headersTimeout: headersMs,
    bodyTimeout: bodyMs,
    maxResponseSize: options.maxResponseBytes ?? 16 * 1024 * 1024,
  });
  const fetch: Fetch = async (input, init) => {
    const request = input instanceof Request ? input : undefined;
    const url = new URL(request?.url ?? String(input));
    // Checked here too, because the connector does not see requests on a connection that is already open.
    const refused = egress.refusalOf(url);
    if (refused) throw egressRefusal(refused);
    const asked = { ...(request && partsOf(request)), ...(await encodeForm(init)) };
    const response = await undiciFetch(url, { ...asked, redirect: 'manual', dispatcher } as UndiciRequestInit);
    if (REDIRECTS.has(response.status)) {
      await response.body?.cancel();
      throw Object.assign(new Error('the service redirects, and redirects are not followed'), {
        code: 'REFUSED_REDIRECT',
      });
    }
    return response as unknown as Response;
  };
  return { fetch, close: () => dispatcher.destroy() };
}

// The undici package has its own Request and FormData, and treats Node's as plain text.

function partsOf({ method, headers, body, signal }: Request) {
  return { method, headers, body, signal, duplex: 'half' };
}

async function encodeForm(init: RequestInit | undefined): Promise<RequestInit | undefined> {
  if (!(init?.body instanceof FormData)) return init;
  const encoded = new Response(init.body);
  const headers = new Headers(init.headers);
  headers.set('content-type', encoded.headers.get('content-type') ?? '');
  return { ...init, headers, body: await encoded.arrayBuffer() };
}
