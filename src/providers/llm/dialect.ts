/**
 * Speaks to a service as the provider's config says: further headers, the version of the API, the header of the key, and
 * what a body may contain. It adapts the calls of every client, so that a check, a step and a vendor's SDK agree on
 * whether a key is good.
 */
import type { Fetch } from '../../egress/http-client.js';
import { parseJson } from '../../redaction/parse-json.js';
import type { SentSecret } from '../service-binding.js';
import { type LlmDialect, protocolOf } from './llm-config.js';
import { type KeyHeader, keyHeaderOf, keyHeaderValue, vendorOf } from './vendors.js';

/** The part of an `LlmCredential` that decides. */
export interface SpokenTo extends LlmDialect {
  readonly provider: string;
  readonly baseURL: string;
  readonly organization?: string;
  readonly project?: string;
}

/** The names that services have for the largest number of tokens of an answer. */
const TOKEN_PARAMETERS = ['max_tokens', 'max_completion_tokens'] as const;

/** What each call has by the config, and the key where the service reads it. @param apiKey - if empty, without a key */
export function sentInDialect(spokenTo: SpokenTo, apiKey: string): SentSecret {
  const { apiVersion, headers, organization, project, keyHeader } = spokenTo;
  const withKeyIn = (names: readonly KeyHeader[]) => ({
    ...headers,
    ...(organization !== undefined && { 'openai-organization': organization }),
    ...(project !== undefined && { 'openai-project': project }),
    ...Object.fromEntries(apiKey ? names.map((name) => [name, keyHeaderValue(name, apiKey)] as const) : []),
  });
  return {
    headers: withKeyIn(keyHeadersFor(spokenTo)),
    // Anthropic and Gemini also speak OpenAI's API, in which the key is a bearer token.
    ...(!keyHeader && !isGateway(spokenTo) && { otherHeaders: withKeyIn(['authorization']) }),
    ...(apiVersion !== undefined && { query: { 'api-version': apiVersion } }),
  };
}

/** Changes the fields of bodies that go to the base URL as the config says. */
export function withOwnFields(spokenTo: SpokenTo, fetch: Fetch): Fetch {
  const { tokenParameter, omitParameters, baseURL } = spokenTo;
  if (tokenParameter === undefined && omitParameters === undefined) return fetch;
  const { origin } = new URL(baseURL);
  return (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    const isOwn = URL.canParse(url) && new URL(url).origin === origin;
    return fetch(input, isOwn ? { ...init, ...bodyOf(spokenTo, init) } : init);
  };
}

/**
 * Clients of Anthropic's API send the key in `x-api-key` (version 2023-06-01, and the AI SDK) or as a bearer token (the
 * SDKs since version 2026-10-21). The API takes both, but a gateway may read only one. So calls to a gateway have the
 * key in both, unless the config names one.
 */
function keyHeadersFor(spokenTo: SpokenTo): readonly KeyHeader[] {
  if (spokenTo.keyHeader) return [spokenTo.keyHeader];
  return isGateway(spokenTo) ? ['x-api-key', 'authorization'] : [keyHeaderOf(protocolOf(spokenTo.provider, spokenTo))];
}

/** Of Anthropic's API. */
function isGateway(spokenTo: SpokenTo): boolean {
  const { provider, baseURL } = spokenTo;
  return protocolOf(provider, spokenTo) === 'anthropic' && baseURL !== vendorOf(provider)?.baseURL;
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
