/**
 * Which headers of a caller go to a service beside the credential. What a library, or the environment of the process,
 * adds must not: it would be the credential, the organization or the project of somebody else.
 */

/** Headers that any client of an HTTP API sends. A name that ends with `*` stands for all names that begin like it. */
export const USUAL_HEADERS: readonly string[] = [
  ...['accept', 'accept-*', 'content-type', 'content-encoding', 'content-language', 'content-disposition', 'if-*'],
  ...['user-agent', 'x-user-agent', 'cache-control', 'prefer', 'range', 'idempotency-key', 'x-idempotency-key'],
  ...['x-request-id', 'x-client-request-id', 'x-correlation-id', 'traceparent', 'tracestate', 'x-stainless-*'],
];

const OF_THE_CALLER: ReadonlySet<string> = new Set(['idempotency-key', 'x-idempotency-key', 'user-agent']);

/** What carries a credential, names an account, or decides where a request goes. */
const REFUSED: readonly RegExp[] = [
  /auth|cookie|secret|passw|passphrase|credential|signature|jwt|bearer|token|session|api-?key|access-?key/,
  /organi[sz]ation|(^|-)(keys?|org|project|account|tenant|workspace|team|user|customer|subscription|billing)(-?(id|name))?$/,
  /^(host|proxy-.*|forwarded|x-forwarded-.*|x-original-.*|x-rewrite-.*|x-http-.*)$/,
];
const CREDENTIAL_VALUE = /^(bearer|basic|digest|negotiate|token) |^(sk|pk|rk)-|^eyJ[A-Za-z0-9_-]{10}/i;

/**
 * Returns the headers of a caller that go to the service.
 *
 * @param allowed - names in lower case. Default: all, except those that may carry a credential, or name an account
 */
export function keptHeaders(given: Headers, allowed: readonly string[] | undefined): Headers {
  const kept = new Headers();
  for (const [name, value] of given) {
    const isKept = allowed ? allowed.some((each) => fits(each, name)) : isPlain(name);
    if (isKept && !CREDENTIAL_VALUE.test(value)) kept.set(name, value);
  }
  return kept;
}

function fits(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

function isPlain(name: string): boolean {
  return OF_THE_CALLER.has(name) || !REFUSED.some((refused) => refused.test(name));
}
