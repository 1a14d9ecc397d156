/**
 * Language models: Anthropic, OpenAI, Gemini, and under any other name a service that implements OpenAI's API. Base
 * URLs are those of each vendor's own SDK; `ai-sdk-model.ts` converts them for the AI SDK.
 */
import type { AnswerLimits } from '../../egress/answer-limits.js';
import { mask, Secret } from '../../redaction/secret.js';
import type { ServiceReply } from '../answers/error-body.js';
import { listIn } from '../answers/list-in.js';
import { probe, provenByKey } from '../answers/probe.js';
import { meaningOfModel } from '../answers/rules/by-type.js';
import { defineProviderType } from '../define-type.js';
import { secretKey } from '../fields.js';
import type { CheckContext } from '../type.js';
import { anthropicKeys } from './anthropic-keys.js';
import { inDialect } from './dialect.js';
import type { LlmKeyIssuer } from './llm-admin.js';
import { checkedConfig, type LlmConfig, type LlmDialect, llmConfig, protocolOf } from './llm-config.js';
import { openaiKeys } from './openai-keys.js';
import { baseURLOf, keyHeaders, vendorOf, withVersion } from './vendors.js';

export interface LlmSecret {
  readonly apiKey: string;
}

/** What a call to a language model needs. */
export interface LlmCredential extends LlmDialect {
  /** `anthropic`, `openai`, `gemini`, or the name of a compatible service. */
  readonly provider: string;
  readonly apiKey: Secret;
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
    apiKey: new Secret(secret.apiKey),
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
  adaptFetch: inDialect,
  check: (credential, context) => {
    const isVendorsOwn = credential.baseURL === vendorOf(credential.provider)?.baseURL;
    if (isVendorsOwn) return listModels(credential, context);
    // Some compatible services and proxies return the list to anyone.
    return provenByKey(
      (withKey) => listModels(credential, context, withKey ? undefined : ''),
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
function listModels(credential: LlmCredential, context: CheckContext, apiKey = credential.apiKey.reveal()) {
  return probe(meaningOf(credential), modelsRequest(credential, apiKey), context, (body) =>
    listIn(body) ? { outcome: 'ok', detail: 'the service returned its list of models' } : undefined,
  );
}

function modelsRequest(credential: LlmCredential, apiKey: string) {
  const { provider, baseURL, keyHeader, organization, project } = credential;
  const protocol = protocolOf(provider, credential);
  const headers = {
    ...keyHeaders(protocol, apiKey, keyHeader),
    ...(organization && { 'openai-organization': organization }),
    ...(project && { 'openai-project': project }),
  };
  switch (protocol) {
    case 'anthropic':
      return { url: `${withVersion(baseURL, '/v1')}/models?limit=1`, init: { headers } };
    case 'gemini':
      return { url: `${withVersion(baseURL, '/v1beta')}/models?pageSize=1`, init: { headers } };
    default:
      return { url: `${baseURL}/models`, init: { headers } };
  }
}
