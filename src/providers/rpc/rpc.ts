/**
 * JSON-RPC endpoints of chains. Hosts put keys into paths, queries, user names and headers, so the whole URL is a
 * secret. Host and chain are shown. A workspace may have several endpoints per chain, ordered by priority.
 */
import { unescape as decodePercents } from 'node:querystring';
import { z } from 'zod';
import { USUAL_HEADERS } from '../../egress/caller-headers.js';
import { onceMore } from '../../egress/dropped-connection.js';
import { ProviderError } from '../../protocol/errors.js';
import { rememberSecret } from '../../redaction/opened-secrets.js';
import { parseJson } from '../../redaction/parse-json.js';
import { mask } from '../../redaction/secret.js';
import { probe } from '../answers/probe.js';
import { rpcResultIn } from '../answers/rpc-answer.js';
import { meaningOfNode } from '../answers/rules/by-type.js';
import { answerFromResponse, ServiceAnswerError } from '../answers/service-answer.js';
import { defineProviderType } from '../define-type.js';
import { HEADERS_OF_HTTP, parseHttpUrl, secretText } from '../fields.js';
import type { CheckContext } from '../type.js';

export interface RpcConfig {
  readonly chainId: number;
  /** Endpoints with a lower number are asked first. Default: 100. */
  readonly priority: number;
}

export interface RpcSecret {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a call to an endpoint needs. */
export interface RpcCredential {
  readonly chainId: number;
  readonly priority: number;
  /**
   * A placeholder: `fetch` calls the endpoint in its place, with its headers. User and password of the endpoint's URL
   * are one of them.
   */
  readonly url: string;
  /** The headers of the endpoint, with placeholders. Names in lower case. `fetch` sends them. */
  readonly headers: Readonly<Record<string, string>>;
}

const DEFAULT_PRIORITY = 100;
const CHAIN_RULE = 'must be a chain id: a whole number from 1';
const PRIORITY_RULE = 'must be a whole number from 0 to 1000000';
const URL_RULE = 'must be an https URL (http only for a loopback address, no websockets) without fragment';
const HEADERS_RULE =
  'must be at most 20 headers of printable characters, without duplicates or headers that HTTP itself sets';
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/;
const HEADER_VALUE = /^[\x21-\x7e]([\x20-\x7e]{0,8190}[\x21-\x7e])?$/;
const headers = z.record(z.string(), z.string({ error: HEADERS_RULE }), { error: HEADERS_RULE }).refine(
  (value) => {
    const names = new Set(Object.keys(value).map((name) => name.toLowerCase()));
    return (
      names.size === Object.keys(value).length &&
      names.size <= 20 &&
      Object.entries(value).every(([name, text]) => HEADER_NAME.test(name) && HEADER_VALUE.test(text)) &&
      [...names].every((name) => !HEADERS_OF_HTTP.has(name))
    );
  },
  { error: HEADERS_RULE },
);

const config = {
  chainId: z.int({ error: CHAIN_RULE }).min(1, { error: CHAIN_RULE }),
  priority: z
    .int({ error: PRIORITY_RULE })
    .min(0, { error: PRIORITY_RULE })
    .max(1_000_000, { error: PRIORITY_RULE })
    .default(DEFAULT_PRIORITY),
};

export const rpc = defineProviderType<'rpc', RpcSecret, RpcConfig, RpcCredential>({
  type: 'rpc',
  variants: [{ name: 'any', title: 'with any name; several endpoints per chain, the lowest priority first' }],
  config,
  secret: {
    url: secretText.refine((value) => parseHttpUrl(value) && !value.includes('#'), { error: URL_RULE }),
    headers: headers.optional(),
  },
  primarySecret: 'url',
  limits: { firstByteMs: 30_000, progressMs: 10_000 },
  credential: ({ config: { chainId, priority }, secret }) => ({ chainId, priority, ...sentToEndpoint(secret) }),
  sentIn: ({ secret }) => sentToEndpoint(secret),
  callerHeaders: USUAL_HEADERS,
  placeholder: (field, unique, { secret }) => (field === 'url' ? placeholderURL(secret.url, unique) : unique),
  shown: ({ config: { chainId, priority }, secret }) => ({
    chainId,
    priority,
    host: shownHost(new URL(secret.url)),
    key: shownKey(new URL(secret.url)),
  }),
  revokeByHand: 'delete the key in the URL, at the service that the URL leads to',
  answers: meaningOfNode,
  destinationField: 'secret.url',
  destination: () => [],
  ownDestination: (secret) => {
    const sent = Object.entries(secret.headers ?? {}).map(([name, value]) => `${name.toLowerCase()}: ${value}`);
    return [new URL(withoutUserinfo(secret.url).url).href, ...sent.sort()];
  },
  fromEnvironment: (name, env) => {
    const chainId = /^chain-([1-9]\d{0,15})$/.exec(name)?.[1];
    const url = chainId && env[`RPC_URL_${chainId}`];
    return url ? { config: { chainId: Number(chainId), priority: DEFAULT_PRIORITY }, secret: { url } } : undefined;
  },
  check: (credential, { fetch, signal }) =>
    probe(meaningOfNode, chainIdRequest(credential), { fetch: onceMore(fetch), signal }, (body) => {
      const chainId = chainIdIn(body);
      if (chainId === undefined) return undefined;
      assertChain(chainId, credential);
      return { outcome: 'ok', detail: `the endpoint answers for chain ${chainId}` };
    }),
});

/** Credentials whose endpoint has confirmed its chain: it is asked once per credential. */
const confirmed = new WeakSet<RpcCredential>();

/**
 * Makes sure, once per credential, that the endpoint answers for the configured chain: a balance from another chain is
 * worse than none.
 *
 * @throws ProviderError `ProviderConfigInvalid` for another chain; otherwise errors that `toProviderError` classifies
 */
export async function confirmChain(credential: RpcCredential, { fetch, signal }: CheckContext): Promise<void> {
  if (confirmed.has(credential)) return;
  const { url, init } = chainIdRequest(credential);
  const response = await onceMore(fetch)(url, { ...init, signal });
  const text = await response.text();
  const chainId = response.ok ? chainIdIn(parseJson(text)) : undefined;
  if (chainId === undefined) throw new ServiceAnswerError(answerFromResponse(response, text));
  assertChain(chainId, credential);
  confirmed.add(credential);
}

function chainIdRequest({ url }: RpcCredential) {
  return {
    url,
    init: {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}',
    },
  };
}

function chainIdIn(body: unknown): number | undefined {
  const result = rpcResultIn(body);
  const chainId = typeof result === 'string' && /^0x[0-9a-f]{1,14}$/i.test(result) ? Number(result) : Number.NaN;
  return Number.isSafeInteger(chainId) ? chainId : undefined;
}

function assertChain(chainId: number, credential: RpcCredential): void {
  if (chainId === credential.chainId) return;
  throw new ProviderError(
    'ProviderConfigInvalid',
    `the endpoint answers for chain ${chainId}, and is configured for chain ${credential.chainId}`,
    { fields: ['config.chainId'] },
  );
}

/** The URL that is called, and the headers that go with it. Names in lower case. */
function sentToEndpoint({ url: given, headers: own }: RpcSecret) {
  const { url, authorization } = withoutUserinfo(given);
  const all = Object.entries({ ...authorization, ...own }).map(([name, value]) => [name.toLowerCase(), value] as const);
  return { url, headers: Object.fromEntries(all) };
}

/** At the same host, unless a label of the host is the key, or has characters that headers or JSON write otherwise. */
function placeholderURL(secret: string, unique: string): string {
  const { protocol, host } = new URL(secret);
  const isShown = shownHost(new URL(secret)) === host && /^[a-z0-9.:[\]_-]+$/.test(host);
  return `${protocol}//${isShown ? host : 'endpoint.invalid'}/${unique}`;
}

function withoutUserinfo(value: string): { url: string; authorization?: { authorization: string } } {
  const url = new URL(value);
  if (!url.username && !url.password) return { url: value };
  // Not decodeURIComponent, which throws if a password contains a lone %.
  const userinfo = `${decodePercents(url.username)}:${decodePercents(url.password)}`;
  url.username = '';
  url.password = '';
  const authorization = `Basic ${Buffer.from(userinfo).toString('base64')}`;
  rememberSecret(authorization);
  rememberSecret(url.href);
  return { url: url.href, authorization: { authorization } };
}

/** A few hosts put the key into the first label of the host name, so a long one is hidden. */
function shownHost(url: URL): string {
  return url.host.replace(/^[0-9a-z]{24,}(?=\.)/, '…');
}

function shownKey(url: URL): string {
  return mask(`${url.pathname}${url.search}`.replace(/^\/|\/$/g, ''));
}
