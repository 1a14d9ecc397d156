/**
 * A `fetch` that is bound to one service: it calls nothing else, and puts the credential into each request when it is
 * sent. What makes the request needs no key. A vendor's client is given a placeholder, which is replaced.
 */
import { ProviderError } from '../protocol/errors.js';
import { type Fetch, partsOf } from './http-client.js';

/** Where a `fetch` may go, and what it adds. */
export interface Binding {
  /** `https://api.example.com/v1`. Only URLs below it may be called, and a path alone is taken to be below it. */
  readonly baseURL: string;
  /** Further hosts that may be called, on every path: `data.example.com`, or `*.example.com` for all names below it. */
  readonly hosts?: readonly string[];
  /** The paths below `baseURL` that may be called, each with all below it: `/v2/reports`. Default: all. */
  readonly paths?: readonly string[] | undefined;
  /** Headers of each request. They replace those of the caller. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Parameters in the query of each request. They replace those of the caller. */
  readonly query?: Readonly<Record<string, string>>;
}

/** @returns a `fetch` that throws ProviderError `ProviderConfigInvalid` for a URL that it is not bound to */
export function boundFetch(fetch: Fetch, binding: Binding): Fetch {
  return async (input, init) => {
    const request = input instanceof Request ? input : undefined;
    const url = urlOf(request?.url ?? String(input), binding);
    checkURL(url, binding);
    const headers = new Headers(init?.headers ?? request?.headers);
    for (const [name, value] of Object.entries(binding.headers ?? {})) headers.set(name, value);
    const sent = new URL(url);
    sent.search = withParameters(url.search, binding.query ?? {});
    const response = await fetch(sent, { ...(request && partsOf(request)), ...init, headers });
    // The URL of a response is often logged.
    return Object.defineProperty(response, 'url', { value: url.href });
  };
}

function urlOf(input: string, { baseURL }: Binding): URL {
  const url = input.startsWith('/') && !input.startsWith('//') ? `${baseURL}${input}` : input;
  if (URL.canParse(url)) return new URL(url);
  throw ProviderError.configInvalid('the URL of the request', `must be a URL, or a path below ${baseURL}`);
}

function checkURL(url: URL, { baseURL, hosts = [], paths }: Binding): void {
  const base = new URL(baseURL);
  if (url.origin !== base.origin) {
    const isHost = hosts.some((host) =>
      host.startsWith('*.') ? url.port === '' && url.hostname.endsWith(host.slice(1)) : url.host === host,
    );
    if (isHost && url.protocol === 'https:' && !url.username && !url.password) return;
    throw refused(`is not at ${[base.origin, ...hosts].join(' or ')}, where the credential of this provider may go`);
  }
  const allowed = (paths ?? ['']).map((path) => `${base.pathname.replace(/\/+$/, '')}${path}`.replace(/\/+$/, ''));
  const isBelow = allowed.some((path) => url.pathname === path || url.pathname.startsWith(`${path}/`));
  // Some services decode these before they resolve dots, which would lead out of the path.
  const isPlain = allowed.includes('') || !/%(2f|5c)/i.test(url.pathname);
  if (isBelow && isPlain && !url.username && !url.password) return;
  throw refused(paths ? `is not below ${allowed.join(' or ')}: see config.paths` : `is not below ${baseURL}`);
}

function refused(rule: string): ProviderError {
  return ProviderError.configInvalid('the URL of the request', rule);
}

/** Leaves the rest of the query as it is written. */
function withParameters(search: string, parameters: Readonly<Record<string, string>>): string {
  const names = Object.keys(parameters);
  if (names.length === 0) return search;
  const kept = search
    .replace(/^\?/, '')
    .split('&')
    .filter((pair) => pair !== '' && ![...new URLSearchParams(pair).keys()].some((name) => names.includes(name)));
  return `?${[...kept, new URLSearchParams(parameters).toString()].join('&')}`;
}
