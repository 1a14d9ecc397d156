/**
 * Language models: Anthropic, OpenAI, Gemini, and under any other name a service that implements OpenAI's API. Base
 * URLs are those of each vendor's own SDK; `ai-sdk-model.ts` converts them for the AI SDK.
 */
import type { AnswerLimits } from '../../egress/answer-limits.js';
import { boundFetch } from '../../egress/bound-fetch.js';
import { USUAL_HEADERS } from '../../egress/caller-headers.js';
import type { Fetch } from '../../egress/http-client.js';
import { mask } from '../../redaction/secret.js';
import type { ServiceReply } from '../answers/error-body.js';
import { listIn } from '../answers/list-in.js';
import { probe, provenByKey } from '../answers/probe.js';
import { meaningOfModel } from '../answers/rules/by-type.js';
import { defineProviderType } from '../define-type.js';
import { secretKey } from '../fields.js';
import type { CheckContext } from '../type.js';
import { anthropicKeys } from './anthropic-keys.js';
import { sentInDialect, withOwnFields } from './dialect.js';
import type { LlmKeyIssuer } from './llm-admin.js';
import { checkedConfig, type LlmConfig, type LlmDialect, llmConfig, protocolOf } from './llm-config.js';
import { openaiKeys } from './openai-keys.js';
import { baseURLOf, VENDOR_HEADERS, vendorOf, versionHeaders, withVersion } from './vendors.js';

export interface LlmSecret {
  readonly apiKey: string;
}

/** What a call to a language model needs. */
export interface LlmCredential extends LlmDialect {
  /** `anthropic`, `openai`, `gemini`, or the name of a compatible service. */
  readonly provider: string;
  /** A placeholder: `fetch` puts the key in its place. */
  readonly apiKey: string;
  /** As for the vendor's own SDK: without a version for Anthropic and Gemini, with `/v1` for OpenAI. */
  readonly baseURL: string;
  /** The default model. */
  readonly model?: string;
  readonly organization?: string;
  readonly project?: string;
}

const KEY_ISSUERS: ReadonlyMap<string, LlmKeyIssuer> = new Map([
  ['anthropic', anthropicKeys],
  ['openai', openaiKeys],
]);

/** A model may think as long before its answer as within a stream, where it sends nothing meanwhile. */
const LIMITS: AnswerLimits = { firstByteMs: 300_000, progressMs: 300_000 };

export const llm = defineProviderType<'llm', LlmSecret, LlmConfig, LlmCredential>({
  type: 'llm',
  variants: [
    { name: 'anthropic', title: 'named anthropic or gemini' },
    { name: 'openai', title: 'named openai' },
    { name: 'compatible', title: 'with any other name: a service that speaks the OpenAI API' },
  ],
  config: llmConfig,
  secret: { apiKey: secretKey },
  credential: ({ name, config, secret }) => ({
    ...checkedConfig(name, config),
    provider: name,
    apiKey: secret.apiKey,
    baseURL: baseURLOf(name, config),
  }),
  shown: ({ name, config, secret }) => ({
    key: mask(secret.apiKey),
    host: new URL(baseURLOf(name, config)).host,
    ...(config.model !== undefined && { model: config.model }),
  }),
  destination: ({ name, config }) => [
    baseURLOf(name, config),
    ...(config.organization === undefined ? [] : [`organization=${config.organization}`]),
    ...(config.project === undefined ? [] : [`project=${config.project}`]),
    ...(config.apiVersion === undefined ? [] : [`apiVersion=${config.apiVersion}`]),
    ...Object.entries(config.headers ?? {})
      .sort(([name], [other]) => (name < other ? -1 : 1))
      .map(([name, value]) => `header:${name}=${value}`),
  ],
  limits: LIMITS,
  fromEnvironment: (name, env) => {
    const prefix = name.toUpperCase().replace(/[^A-Z0-9]/g, '_');
    const variables = vendorOf(name)?.apiKeyVariables ?? [`${prefix}_API_KEY`];
    const apiKey = variables.map((variable) => env[variable]).find(Boolean);
    const ownBaseURL = env[`${prefix}_BASE_URL`];
    if (!apiKey || !(ownBaseURL || vendorOf(name))) return undefined;
    return { config: ownBaseURL ? { baseURL: ownBaseURL } : {}, secret: { apiKey } };
  },
  sentIn: ({ name, config, secret }) =>
    sentInDialect({ ...config, provider: name, baseURL: baseURLOf(name, config) }, secret.apiKey),
  callerHeaders: [...USUAL_HEADERS, ...VENDOR_HEADERS],
  placeholder: (_, unique, { name }) => `${vendorOf(name)?.keyPrefix ?? 'sk-'}${unique}`,
  adaptFetch: withOwnFields,
  check: (credential, context, fetchWithoutKey) => {
    const isVendorsOwn = credential.baseURL === vendorOf(credential.provider)?.baseURL;
    if (isVendorsOwn) return listModels(credential, context);
    // Some compatible services and proxies return the list to anyone.
    return provenByKey(
      (withKey) =>
        listModels(credential, withKey ? context : { ...context, fetch: withoutKey(credential, fetchWithoutKey) }),
      'the service returns its list of models without a key too',
    );
  },
  keyIssuer: (name) => KEY_ISSUERS.get(name),
  revokeByHand: (name) => vendorOf(name)?.revokeByHand ?? 'delete the key at the service that the base URL leads to',
  answers: meaningOfModel,
});

function meaningOf({ provider }: LlmCredential) {
  return (reply: ServiceReply) => meaningOfModel(reply, { name: provider });
}

/** Lists models, because that call is free and needs a key. */
function listModels(credential: LlmCredential, context: CheckContext) {
  return probe(meaningOf(credential), modelsRequest(credential), context, (body) =>
    listIn(body) ? { outcome: 'ok', detail: 'the service returned its list of models' } : undefined,
  );
}

function modelsRequest(credential: LlmCredential) {
  const { provider, baseURL } = credential;
  const protocol = protocolOf(provider, credential);
  const init = { headers: versionHeaders(protocol) };
  switch (protocol) {
    case 'anthropic':
      return { url: `${withVersion(baseURL, '/v1')}/models?limit=1`, init };
    case 'gemini':
      return { url: `${withVersion(baseURL, '/v1beta')}/models?pageSize=1`, init };
    default:
      return { url: `${baseURL}/models`, init };
  }
}

/** The same call, in the same dialect, without the key. */
function withoutKey(credential: LlmCredential, fetch: Fetch): Fetch {
  const { headers, query } = sentInDialect(credential, '');
  return boundFetch(fetch, { baseURL: credential.baseURL, headers, query });
}
