/**
 * The only HTTP client of a process. Every call to a service goes through it, whichever library makes the call. It
 * calls only what its egress policy allows, does not follow redirects (which would take a key along), and limits every
 * wait.
 */
import {
  Agent,
  type buildConnector,
  type Dispatcher,
  type RequestInit as UndiciRequestInit,
  fetch as undiciFetch,
} from 'undici';
import { AnswerEnd, type AnswerLimits, withinLimits, withMaxDecodedBytes } from './answer-limits.js';
import { guardedConnector } from './connector.js';
import { idempotentOnceMore } from './dropped-connection.js';
import { type EgressPolicy, PUBLIC_EGRESS } from './policy.js';
import { egressRefusal } from './refusal.js';
import { awaitHead, type SealedRequest, unsealed } from './sealed-head.js';

/** An HTTP client as the fetch standard defines it, and as the AI SDK, viem and the vendors' SDKs accept it. */
export type Fetch = typeof globalThis.fetch;

export interface FetchOptions {
  /** The time for TCP and TLS, in milliseconds. Default: 10,000. */
  readonly connectMs?: number;
  /** The limits of requests for which the caller sets no others. Default: those of models. */
  readonly limits?: AnswerLimits;
  /** The largest answer, both as it is sent and after it is decoded. Default: 16 MiB. */
  readonly maxResponseBytes?: number;
  /** Where calls may go. Default: public addresses, over https, on ports 443 and 8443. */
  readonly egress?: EgressPolicy;
  /** Other options of connections, such as the certificates to trust. Certificates are always verified. */
  readonly connect?: buildConnector.BuildOptions;
}

/** For models: one that thinks sends no byte until it is done, and may pause in a stream. Shorter than `llmStep`. */
const DEFAULT_LIMITS: AnswerLimits = { firstByteMs: 300_000, progressMs: 120_000 };

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export interface HttpClient {
  readonly fetch: Fetch;
  /** Returns the same client with other limits on answers. It has the same connections. */
  within(limits: AnswerLimits): Fetch;
  /** Ends requests in flight. It is separate from `fetch`, so that code which gets `fetch` cannot close the client. */
  close(): Promise<void>;
}

/** For checks and for the admin APIs of services: they answer within a second or two, and have a minute. */
export const CHECK_LIMITS: AnswerLimits = { firstByteMs: 30_000, progressMs: 10_000 };

/** Creates the client. A process needs one. */
export function createFetch(options: FetchOptions = {}): HttpClient {
  const { egress = PUBLIC_EGRESS, connectMs = 10_000, maxResponseBytes = 16 * 1024 * 1024 } = options;
  const agent = new Agent({
    // Explicitly, because NODE_TLS_REJECT_UNAUTHORIZED changes the default. The heads of HTTP/2 are not text.
    allowH2: false,
    connect: guardedConnector(egress, { ...options.connect, timeout: connectMs, rejectUnauthorized: true }),
    maxResponseSize: maxResponseBytes,
  });
  const within = (limits: AnswerLimits): Fetch => {
    const limited = agent.compose(withinLimits(limits));
    const send = async (...[input, init, dispatcher]: [...Parameters<Fetch>, Dispatcher]) => {
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
      return withMaxDecodedBytes(response, maxResponseBytes) as unknown as Response;
    };
    const own = idempotentOnceMore((input, init) => send(input, init, limited));
    sealing.set(own, async (url, init, sealed) => {
      const end = new AnswerEnd(sealed.onEnd);
      const dispatcher = agent.compose(withinLimits(limits, end));
      const forget = awaitHead(sealed);
      try {
        return end.after(await idempotentOnceMore((input, asked) => send(input, asked, dispatcher))(url, init));
      } catch (error) {
        sealed.onEnd?.();
        throw error;
      } finally {
        forget();
      }
    });
    return own;
  };
  return { fetch: within(options.limits ?? DEFAULT_LIMITS), within, close: () => agent.destroy() };
}

type SealedSend = (url: URL, init: RequestInit, sealed: SealedRequest) => Promise<Response>;

/** How each client sends a sealed request. */
const sealing = new WeakMap<Fetch, SealedSend>();

/**
 * Sends a request in whose URL and headers stand-ins are in place of secrets. A `fetch` that is not of {@link createFetch},
 * such as one of a test, gets the secrets themselves, and `onEnd` is not called.
 */
export function sendSealed(fetch: Fetch, url: URL, init: RequestInit, sealed: SealedRequest): Promise<Response> {
  const send = sealing.get(fetch);
  if (send) return send(url, init, sealed);
  const headers = [...new Headers(init.headers)].map(([name, value]) => [name, unsealed(value, sealed.texts)] as const);
  return fetch(new URL(unsealed(url.href, sealed.texts)), { ...init, headers: Object.fromEntries(headers) });
}

// The undici package has its own Request and FormData, and treats Node's as plain text.

/** What a `Request` asks for, as the options of a call. */
export function partsOf({ method, headers, body, signal }: Request): RequestInit {
  return { method, headers, body, signal, duplex: 'half' } as RequestInit;
}

async function encodeForm(init: RequestInit | undefined): Promise<RequestInit | undefined> {
  if (!(init?.body instanceof FormData)) return init;
  const encoded = new Response(init.body);
  const headers = new Headers(init.headers);
  headers.set('content-type', encoded.headers.get('content-type') ?? '');
  return { ...init, headers, body: await encoded.arrayBuffer() };
}
