/**
 * The one HTTP client of a process: every call to a service leaves through it, whichever library makes the call. It
 * goes where its egress policy allows, follows no redirect (a key would follow too), and bounds every wait.
 */
import { Agent, type buildConnector, type RequestInit as UndiciRequestInit, fetch as undiciFetch } from 'undici';
import { guardedConnector } from './connector.js';
import { type EgressPolicy, PUBLIC_EGRESS } from './policy.js';
import { egressRefusal } from './refusal.js';

/** An HTTP client as the fetch standard defines it: what the AI SDK, viem and the vendors' SDKs take. */
export type Fetch = typeof globalThis.fetch;

export interface FetchOptions {
  readonly timeouts?: {
    /** TCP and TLS, in milliseconds. Default 10,000. */
    readonly connectMs?: number;
    /**
     * Until the first byte of the answer, in milliseconds. Default 600,000: a model that thinks sends no byte until
     * it is done. An activity's own timeout is what usually ends a wait.
     */
    readonly headersMs?: number;
    /** Between two chunks of a body, in milliseconds. Default 300,000: a model thinks within a stream, too. */
    readonly bodyMs?: number;
  };
  /** As sent over the wire, compressed or not. Default 16 MiB. */
  readonly maxResponseBytes?: number;
  /** Where calls may go. Default: public addresses, by https, ports 443 and 8443. */
  readonly egress?: EgressPolicy;
  /** What connections are made with beside the guard, such as TLS options. */
  readonly connect?: buildConnector.BuildOptions;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export interface HttpClient {
  readonly fetch: Fetch;
  /** Ends what is still in flight. Apart from `fetch`, so that whoever is handed that cannot close it for all. */
  close(): Promise<void>;
}

/** The client. One per process. */
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
    // Also for a connection that is open already: the connector sees new ones alone.
    const refused = egress.refusalOf(url);
    if (refused) throw egressRefusal(refused);
    const asked = { ...(request && partsOf(request)), ...(await encodeForm(init)) };
    const response = await undiciFetch(url, { ...asked, redirect: 'manual', dispatcher } as UndiciRequestInit);
    if (REDIRECTS.has(response.status)) {
      await response.body?.cancel();
      throw Object.assign(new Error('a redirect is not followed'), { code: 'REFUSED_REDIRECT' });
    }
    return response as unknown as Response;
  };
  return { fetch, close: () => dispatcher.destroy() };
}

// The undici package has a Request and a FormData of its own, and takes those of Node for plain text.

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
