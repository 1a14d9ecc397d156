/**
 * Speaks to a service as the provider's config says: further headers, the version of the API, the header of the key, and
 * what a body may contain. It adapts the calls of every client, so that a check, a step and a vendor's SDK agree on
 * whether a key is good.
 */
import { type Fetch, partsOf } from '../../egress/http-client.js';
import { parseJson } from '../../redaction/parse-json.js';
import type { Secret } from '../../redaction/secret.js';
import { type LlmDialect, protocolOf } from './llm-config.js';
import { KEY_HEADERS, type KeyHeader, keyHeaderOf, keyHeaderValue, vendorOf } from './vendors.js';

/** The part of an `LlmCredential` that decides. */
export interface SpokenTo extends LlmDialect {
  readonly provider: string;
  readonly baseURL: string;
  readonly apiKey: Secret;
}

/** The names that services have for the largest number of tokens of an answer. */
const TOKEN_PARAMETERS = ['max_tokens', 'max_completion_tokens'] as const;

/** Adapts calls to the base URL. Calls to another origin pass as they are: they must get neither key nor headers. */
export function inDialect(spokenTo: SpokenTo, fetch: Fetch): Fetch {
  const keyIn = keyHeadersFor(spokenTo);
  if (!isAdapted(spokenTo, keyIn)) return fetch;
  const { origin } = new URL(spokenTo.baseURL);
  return async (input, init) => {
    const request = input instanceof Request ? input : undefined;
    const url = new URL(request?.url ?? String(input));
    if (url.origin !== origin) return fetch(input, init);
    if (spokenTo.apiVersion !== undefined) url.searchParams.set('api-version', spokenTo.apiVersion);
    const headers = withHeaders(spokenTo, keyIn, new Headers(init?.headers ?? request?.headers));
    return fetch(url, { ...(request && partsOf(request)), ...init, ...bodyOf(spokenTo, init), headers });
  };
}

/**
 * Clients of Anthropic's API send the key in `x-api-key` (version 2023-06-01, and the AI SDK) or as a bearer token (the
 * SDKs since version 2026-10-21). The API takes both, but a gateway may read only one. So calls to a gateway have the
 * key in both, unless the config names one.
 */
function keyHeadersFor(spokenTo: SpokenTo): readonly KeyHeader[] {
  const { provider, baseURL, keyHeader } = spokenTo;
  if (keyHeader) return [keyHeader];
  const protocol = protocolOf(provider, spokenTo);
  const isGateway = protocol === 'anthropic' && baseURL !== vendorOf(provider)?.baseURL;
  return isGateway ? ['x-api-key', 'authorization'] : [keyHeaderOf(protocol)];
}

function isAdapted(spokenTo: SpokenTo, keyIn: readonly KeyHeader[]): boolean {
  const { provider, apiVersion, headers, tokenParameter, omitParameters } = spokenTo;
  const hasOwnKeyHeader = keyIn.length > 1 || keyIn[0] !== keyHeaderOf(protocolOf(provider, spokenTo));
  return hasOwnKeyHeader || [apiVersion, headers, tokenParameter, omitParameters].some((each) => each !== undefined);
}

/** A call without the key, and one with another key, keeps its own: a check asks without a key too. */
function withHeaders(
  { apiKey, headers: further = {} }: SpokenTo,
  keyIn: readonly KeyHeader[],
  headers: Headers,
): Headers {
  for (const [name, value] of Object.entries(further)) headers.set(name, value);
  const key = apiKey.reveal();
  const carriers = KEY_HEADERS.filter((name) => headers.get(name) === keyHeaderValue(name, key));
  if (carriers.length === 0) return headers;
  for (const name of carriers) headers.delete(name);
  for (const name of keyIn) headers.set(name, keyHeaderValue(name, key));
  return headers;
}

function bodyOf({ tokenParameter, omitParameters = [] }: SpokenTo, init: RequestInit | undefined) {
  if (tokenParameter === undefined && omitParameters.length === 0) return {};
  const body = typeof init?.body === 'string' ? parseJson(init.body) : undefined;
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return {};
  const fields = Object.entries(body).map(([name, value]) => [
    tokenParameter && TOKEN_PARAMETERS.some((known) => known === name) ? tokenParameter : name,
    value,
  ]);
  return { body: JSON.stringify(Object.fromEntries(fields.filter(([name]) => !omitParameters.includes(name)))) };
}
