/**
 * A `fetch` that is bound to one provider. It puts the credential into each request to the provider's own service when
 * the request is sent. What makes the request needs no key: a vendor's client is given a placeholder, which goes nowhere.
 */
import { ProviderError } from '../protocol/errors.js';
import { keptHeaders } from './caller-headers.js';
import { type Fetch, partsOf, sendSealed } from './http-client.js';
import { basicOf, Placeholders } from './placeholders.js';
import { newStandIn, type RequestWatch, type SealedRequest } from './sealed-head.js';

/** Where a credential may go, and how it is put into a request. */
export interface Binding {
  /** `https://api.example.com/v1`. The credential goes to URLs below it, and a path alone is taken to be below it. */
  readonly baseURL: string;
  /** The URL that is called in place of `baseURL`, if the URL itself is the secret. Then nothing below it is called. */
  readonly secretURL?: string | undefined;
  /** Further hosts that the credential goes to, on every path: `data.example.com`, or `*.example.com` for all below it. */
  readonly hosts?: readonly string[] | undefined;
  /** The paths below `baseURL` that may be called, each with all below it: `/v2/reports`. Default: all. */
  readonly paths?: readonly string[] | undefined;
  /** Headers of each request. They replace those of the caller. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Sent in place of `headers`, if the caller has a placeholder in one of them. */
  readonly otherHeaders?: Readonly<Record<string, string>> | undefined;
  /** Parameters in the query of each request. They replace those of the caller. */
  readonly query?: Readonly<Record<string, string>> | undefined;
  /** Secrets that replace their placeholder in the path, by the host that gets them. */
  readonly pathsAt?: readonly SecretInPath[] | undefined;
  /** What stands for the secrets, in what the caller was given. */
  readonly placeholders?: readonly string[] | undefined;
  /**
   * The secrets by placeholder, if it is the caller who decides how they are sent: each replaces its placeholder in
   * headers and in the URL.
   */
  readonly swaps?: ReadonlyMap<string, string> | undefined;
  /** The names of the caller's headers that are sent. Default: all that carry no credential and name no account. */
  readonly callerHeaders?: readonly string[] | undefined;
}

/** A secret that the path of a URL has at one host. */
export interface SecretInPath {
  readonly host: string;
  readonly placeholder: string;
  readonly secret: string;
}

/**
 * @returns a `fetch` that throws ProviderError `ProviderConfigInvalid` for a request that would take a placeholder to
 *   another address, and for a path of the service that it is not bound to. A request to another origin goes there
 *   without the credential, as the caller made it
 */
export function boundFetch(fetch: Fetch, binding: Binding, watch: RequestWatch = {}): Fetch {
  const placeholders = new Placeholders(binding.placeholders ?? []);
  return async (input, init) => {
    const request = input instanceof Request ? input : undefined;
    const url = urlOf(request?.url ?? String(input), binding);
    const given = new Headers(init?.headers ?? request?.headers);
    const asked = { ...(request && partsOf(request)), ...init };
    const atHost = binding.pathsAt?.find(({ host }) => isAt(url, host));
    if (!atHost && !isOwn(url, binding)) {
      // That of a Request is a stream also if it was made from a text.
      const body = request?.body && init?.body === undefined ? await request.arrayBuffer() : asked.body;
      if (await placeholders.areWrittenIn(url, given, body)) throw refused(elsewhere(binding));
      watch.onElsewhere?.();
      return fetch(url, { ...asked, headers: given, body });
    }
    const sealing = new Sealing();
    const sent = atHost ? sealing.path(url, atHost) : sealing.url(url, binding, placeholders);
    if (placeholders.areIn(sent.href)) throw refused('has the key at a place where the service does not take it');
    // Code that was given the secret itself signs its requests as it likes.
    const isSigned = binding.swaps && !placeholders.areInHead(url, given);
    const headers = isSigned
      ? given
      : sealing.headers(given, atHost ? {} : binding, placeholders, binding.callerHeaders);
    const sealed: SealedRequest = { origin: sent.origin, texts: sealing.texts, ...watch };
    const response = await sendSealed(fetch, sent, { ...asked, headers }, sealed);
    // The URL of a response is often logged.
    return Object.defineProperty(response, 'url', { value: url.href, configurable: true });
  };
}

/** Writes stand-ins in place of the secrets of one request. */
class Sealing {
  readonly texts = new Map<string, string>();

  url(url: URL, { secretURL, query = {}, swaps }: Binding, placeholders: Placeholders): URL {
    const sent = new URL(url);
    if (secretURL !== undefined) {
      const { origin, pathname, search } = new URL(secretURL);
      return new URL(
        `${origin}/${pathname === '/' && search === '' ? '' : this.#seal(`${pathname}${search}`.slice(1))}`,
      );
    }
    for (const [placeholder, secret] of swaps ?? []) {
      if (!sent.href.includes(placeholder)) continue;
      const standIn = this.#seal(encodeURIComponent(secret));
      sent.pathname = sent.pathname.replaceAll(placeholder, standIn);
      sent.search = sent.search.replaceAll(placeholder, standIn);
    }
    const sealed = Object.entries(query).map(([name, value]) => [name, this.#seal(parameter(value))] as const);
    sent.search = withParameters(sent.search, Object.fromEntries(sealed), swaps ? undefined : placeholders);
    return sent;
  }

  path(url: URL, { placeholder, secret }: SecretInPath): URL {
    const sent = new URL(url);
    if (sent.pathname.includes(placeholder))
      sent.pathname = sent.pathname.replaceAll(placeholder, this.#seal(encodeURIComponent(secret)));
    return sent;
  }

  headers(
    given: Headers,
    own: Pick<Binding, 'headers' | 'otherHeaders' | 'swaps'>,
    placeholders: Placeholders,
    allowed?: readonly string[],
  ) {
    const headers = keptHeaders(given, allowed);
    for (const [name, value] of given) {
      if (!placeholders.areInHeader(value)) continue;
      if (own.swaps) headers.set(name, this.#seal(swapped(value, own.swaps)));
      else headers.delete(name);
    }
    const { otherHeaders = {} } = own;
    const isOther = Object.keys(otherHeaders).some((name) => placeholders.areInHeader(given.get(name) ?? ''));
    const sent = isOther ? otherHeaders : own.headers;
    for (const [name, value] of Object.entries(sent ?? {})) headers.set(name, this.#seal(value));
    return headers;
  }

  #seal(text: string): string {
    const standIn = newStandIn();
    this.texts.set(standIn, text);
    return standIn;
  }
}

function swapped(value: string, swaps: ReadonlyMap<string, string>): string {
  const basic = basicOf(value);
  let text = basic ?? value;
  for (const [placeholder, secret] of swaps) text = text.replaceAll(placeholder, secret);
  return basic === undefined ? text : `Basic ${Buffer.from(text).toString('base64')}`;
}

function urlOf(input: string, { baseURL }: Binding): URL {
  const url = input.startsWith('/') && !input.startsWith('//') ? `${baseURL}${input}` : input;
  if (URL.canParse(url)) return new URL(url);
  throw ProviderError.configInvalid('the URL of the request', `must be a URL, or a path below ${baseURL}`);
}

/**
 * Whether the credential goes to the URL.
 *
 * @throws ProviderError `ProviderConfigInvalid` for another path of the service
 */
function isOwn(url: URL, { baseURL, secretURL, hosts = [], paths }: Binding): boolean {
  const base = new URL(baseURL);
  if (url.origin !== base.origin) return hosts.some((host) => isAt(url, host));
  if (secretURL !== undefined) {
    if (url.href === base.href) return true;
    throw refused('is not the URL of this provider');
  }
  const allowed = (paths ?? ['']).map((path) => `${base.pathname.replace(/\/+$/, '')}${path}`.replace(/\/+$/, ''));
  const isBelow = allowed.some((path) => url.pathname === path || url.pathname.startsWith(`${path}/`));
  // Some services decode these before they resolve dots, which would lead out of the path.
  const isPlain = allowed.includes('') || !/%(2f|5c)/i.test(url.pathname);
  if (isBelow && isPlain && !url.username && !url.password) return true;
  throw refused(paths ? `is not below ${allowed.join(' or ')}: see config.paths` : `is not below ${baseURL}`);
}

function isAt({ protocol, host, hostname, port, username, password }: URL, wanted: string): boolean {
  const isHost = wanted.startsWith('*.') ? port === '' && hostname.endsWith(wanted.slice(1)) : host === wanted;
  return isHost && protocol === 'https:' && !username && !password;
}

function elsewhere({ baseURL, secretURL, hosts = [] }: Binding): string {
  const own = secretURL === undefined ? [new URL(baseURL).origin, ...hosts].join(' or ') : 'the URL of this provider';
  return `is not at ${own}, where the credential of this provider may go`;
}

function refused(rule: string): ProviderError {
  return ProviderError.configInvalid('the URL of the request', rule);
}

function parameter(value: string): string {
  return new URLSearchParams({ '': value }).toString().slice(1);
}

/** Leaves the rest of the query as it is written, except for parameters with a placeholder. */
function withParameters(
  search: string,
  parameters: Readonly<Record<string, string>>,
  placeholders: Placeholders | undefined,
): string {
  const names = Object.keys(parameters);
  if (names.length === 0 && !placeholders?.areIn(search)) return search;
  const kept = search
    .replace(/^\?/, '')
    .split('&')
    .filter((pair) => pair !== '' && !placeholders?.areIn(pair))
    .filter((pair) => ![...new URLSearchParams(pair).keys()].some((name) => names.includes(name)));
  const added = Object.entries(parameters).map(([name, value]) => `${parameter(name)}=${value}`);
  return `?${[...kept, ...added].join('&')}`;
}
