/**
 * Repeats a request whose connection was dropped before a byte of the answer came: most often the service has closed a
 * connection that was kept open, just when the request was sent. It cannot be seen whether the service has worked on
 * it, so only requests are repeated that may be sent twice (RFC 9110, 9.2.2).
 */
type Fetch = typeof globalThis.fetch;

/** Returns a `fetch` for calls that only read, whatever their method. A dropped one is sent once more, at once. */
export function onceMore(fetch: Fetch): Fetch {
  return (input, init) =>
    fetch(input, init).catch((error: unknown) => {
      if (!isDropped(error) || init?.signal?.aborted || isUsedUp(input, init)) throw error;
      return fetch(input, init);
    });
}

const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/** Returns a `fetch` that repeats requests with an idempotent method. */
export function idempotentOnceMore(fetch: Fetch): Fetch {
  const repeating = onceMore(fetch);
  return (input, init) => {
    const method = init?.method ?? (input instanceof Request ? input.method : 'GET');
    return (IDEMPOTENT.has(method.toUpperCase()) ? repeating : fetch)(input, init);
  };
}

/** undici's `fetch failed`, because of a socket. A broken body does not come here: its headers have come. */
function isDropped(error: unknown): boolean {
  const { code } = ((error as Error | undefined)?.cause ?? {}) as { readonly code?: unknown };
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'UND_ERR_SOCKET';
}

/** A stream can be sent once. */
function isUsedUp(input: Parameters<Fetch>[0], init: RequestInit | undefined): boolean {
  const body = init?.body ?? (input instanceof Request ? input.body : undefined);
  return body instanceof ReadableStream;
}
