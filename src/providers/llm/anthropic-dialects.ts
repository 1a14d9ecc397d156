/**
 * Clients of Anthropic's API send the key in `x-api-key` (version 2023-06-01, and the AI SDK) or as a bearer token (the
 * SDKs since version 2026-10-21). The API takes both, but a gateway may read only one: then a check, a step and the
 * vendor's SDK would not agree on whether the key is good. So calls to a gateway have the key in both headers.
 */
import type { Fetch } from '../../egress/http-client.js';
import type { Secret } from '../../redaction/secret.js';
import { vendorOf } from './vendors.js';

/** The part of a credential that decides. */
interface KeyForURL {
  readonly provider: string;
  readonly baseURL: string;
  readonly apiKey: Secret;
}

/** Returns `fetch` itself for other providers, and for the vendor's own URL. An admin key is sent in the same way. */
export function inBothDialects({ provider, baseURL, apiKey }: KeyForURL, fetch: Fetch): Fetch {
  if (provider !== 'anthropic' || baseURL === vendorOf(provider)?.baseURL) return fetch;
  const { origin } = new URL(baseURL);
  return async (input, init) => {
    const request = input instanceof Request ? input : undefined;
    const headers = new Headers(init?.headers ?? request?.headers);
    const key = apiKey.reveal();
    const isSent = headers.get('x-api-key') === key || headers.get('authorization') === `Bearer ${key}`;
    if (!isSent || new URL(request?.url ?? String(input)).origin !== origin) return fetch(input, init);
    headers.set('x-api-key', key);
    headers.set('authorization', `Bearer ${key}`);
    return fetch(input, { ...init, headers });
  };
}
