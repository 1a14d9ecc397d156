/**
 * Language models: Anthropic, OpenAI, Gemini, and under any other name a service that implements OpenAI's API. Base
 * URLs are those of each vendor's own SDK; `ai-sdk-model.ts` converts them for the AI SDK.
 */
import { mask, Secret } from '../../redaction/secret.js';
import type { ServiceReply } from '../answers/error-body.js';
import { listIn } from '../answers/list-in.js';
import { probe } from '../answers/probe.js';
import { meaningOfModel } from '../answers/rules/by-type.js';
import { defineProviderType } from '../define-type.js';
import type { Fields } from '../field-schema.js';
import { id, restrictedURL, secretKey, serviceURL, word } from '../fields.js';
import type { CheckContext, CheckResult } from '../type.js';
import { inBothDialects } from './anthropic-dialects.js';
import { anthropicKeys } from './anthropic-keys.js';
import type { LlmKeyIssuer } from './llm-admin.js';
import { openaiKeys } from './openai-keys.js';
import { baseURLOf, GEMINI_MODEL, GEMINI_MODEL_RULE, keyHeaders, vendorOf } from './vendors.js';

export interface LlmConfig {
  /** The base URL of the API. Required for compatible services. Default: the vendor's. */
  readonly baseURL?: string;
  /** The model for steps that do not name one. */
  readonly model?: string;
  /** OpenAI only. */
  readonly organization?: string;
  /** OpenAI only. */
  readonly project?: string;
}

export interface LlmSecret {
  readonly apiKey: string;
}

/** What a call to a language model needs. */
export interface LlmCredential {
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

export const modelId = word('must be a model id: 1 to 200 printable characters without spaces', /^[\x21-\x7e]{1,200}$/);

const known = { baseURL: serviceURL().optional(), model: modelId.optional() };
const openai = {
  ...known,
  baseURL: serviceURL()
    .refine((value) => value !== 'https://api.openai.com', {
      error: 'must end with the version of the API: https://api.openai.com/v1',
    })
    .optional(),
  organization: id.optional(),
  project: id.optional(),
};
const gemini = {
  ...known,
  model: modelId.regex(GEMINI_MODEL, { error: GEMINI_MODEL_RULE }).optional(),
};
const compatible = {
  ...known,
  baseURL: restrictedURL('is required for a name other than anthropic, openai and gemini, and'),
};

export const llm = defineProviderType<'llm', LlmSecret, LlmConfig, LlmCredential>({
  type: 'llm',
  variants: [
    { name: 'anthropic', title: 'named anthropic or gemini' },
    { name: 'openai', title: 'named openai' },
    { name: 'compatible', title: 'with any other name: a service that speaks the OpenAI API' },
  ],
  config: (name): Fields<LlmConfig> => {
    if (name === 'openai') return openai;
    if (name === 'gemini') return gemini;
    return vendorOf(name) ? known : compatible;
  },
  secret: { apiKey: secretKey },
  credential: ({ name, config, secret }) => ({
    provider: name,
    apiKey: new Secret(secret.apiKey),
    baseURL: baseURLOf(name, config),
    model: config.model,
    organization: config.organization,
    project: config.project,
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
  ],
  fromEnvironment: (name, env) => {
    const prefix = name.toUpperCase().replace(/[^A-Z0-9]/g, '_');
    const variables = vendorOf(name)?.apiKeyVariables ?? [`${prefix}_API_KEY`];
    const apiKey = variables.map((variable) => env[variable]).find(Boolean);
    const ownBaseURL = env[`${prefix}_BASE_URL`];
    if (!apiKey || !(ownBaseURL || vendorOf(name))) return undefined;
    return { config: ownBaseURL ? { baseURL: ownBaseURL } : {}, secret: { apiKey } };
  },
  adaptFetch: inBothDialects,
  check: (credential, context) => {
    const isVendorsOwn = credential.baseURL === vendorOf(credential.provider)?.baseURL;
    return isVendorsOwn ? listModels(credential, context) : listModelsWithAndWithoutKey(credential, context);
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

/** Some compatible services and proxies return the list to anyone. It then proves nothing about the key. */
async function listModelsWithAndWithoutKey(credential: LlmCredential, context: CheckContext): Promise<CheckResult> {
  const withKey = await listModels(credential, context);
  if (withKey.outcome !== 'ok') return withKey;
  const withoutKey = await listModels(credential, context, '');
  return withoutKey.outcome === 'ok'
    ? { outcome: 'cannot-tell', detail: 'the service returns its list of models without a key too' }
    : withKey;
}

function modelsRequest({ provider, baseURL: base, organization, project }: LlmCredential, apiKey: string) {
  const headers = keyHeaders(provider, apiKey);
  switch (provider) {
    case 'anthropic':
      return { url: `${base}/v1/models?limit=1`, init: { headers } };
    case 'gemini':
      return { url: `${base}/v1beta/models?pageSize=1`, init: { headers } };
    default: {
      const whose = {
        ...(organization && { 'openai-organization': organization }),
        ...(project && { 'openai-project': project }),
      };
      return { url: `${base}/models`, init: { headers: { ...headers, ...whose } } };
    }
  }
}
