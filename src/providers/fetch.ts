/**
 * The one HTTP client of a process: every call to a service leaves through it, whichever library makes the call. It
 * follows no redirect (a key would follow too), speaks plain http to this machine alone, and bounds every wait.
 */
import { Agent, type buildConnector, type RequestInit as UndiciRequestInit, fetch as undiciFetch } from 'undici';
import { isLoopback } from './loopback.js';
import type { Fetch } from './type.js';

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
  /** How sockets are opened: the place for an egress guard. Default: undici's own, with `connectMs`. */
  readonly connect?: buildConnector.connector;
}

/** The `code` of errors of this client's own. */
type FetchRefusal = 'REFUSED_INSECURE_URL' | 'REFUSED_REDIRECT';

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export interface HttpClient {
  readonly fetch: Fetch;
  /** Ends what is still in flight. Apart from `fetch`, so that whoever is handed that cannot close it for all. */
  close(): Promise<void>;
}

/** The client. One per process. */
export function createFetch(options: FetchOptions = {}): HttpClient {
  const { connectMs = 10_000, headersMs = 600_000, bodyMs = 300_000 } = options.timeouts ?? {};
  const dispatcher = new Agent({
    connect: options.connect ?? { timeout: connectMs },
    headersTimeout: headersMs,
    bodyTimeout: bodyMs,
    maxResponseSize: options.maxResponseBytes ?? 16 * 1024 * 1024,
  });
  const fetch: Fetch = async (input, init) => {
    const request = input instanceof Request ? input : undefined;
    const url = new URL(request?.url ?? String(input));
    if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname))) {
      throw refusal('REFUSED_INSECURE_URL', 'plain http is for a loopback address alone');
    }
    const asked = { ...(request && partsOf(request)), ...(await encodeForm(init)) };
    const response = await undiciFetch(url, { ...asked, redirect: 'manual', dispatcher } as UndiciRequestInit);
    if (REDIRECTS.has(response.status)) {
      await response.body?.cancel();
      throw refusal('REFUSED_REDIRECT', 'a redirect is not followed');
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

function refusal(code: FetchRefusal, message: string): Error {
  return Object.assign(new Error(message), { code });
}
