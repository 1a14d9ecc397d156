/**
 * The admin credentials of language-model vendors. They create and revoke the keys of the `llm` provider of the same
 * name. They are a separate type because they can do far more than a key: no step receives one, and the platform has
 * none.
 */
import { USUAL_HEADERS } from '../../egress/caller-headers.js';
import { ProviderError } from '../../protocol/errors.js';
import { mask } from '../../redaction/secret.js';
import { probe } from '../answers/probe.js';
import { meaningOfModel } from '../answers/rules/by-type.js';
import { defineProviderType } from '../define-type.js';
import type { Fields } from '../field-schema.js';
import { id, secretKey, serviceURL } from '../fields.js';
import type { KeyIssuer } from '../type.js';
import { sentInDialect } from './dialect.js';
import { baseURLOf, VENDOR_HEADERS, versionHeaders } from './vendors.js';

export interface LlmAdminConfig {
  /** The base URL of the API, as for the `llm` provider of the same name. Default: the vendor's. */
  readonly baseURL?: string;
  /** OpenAI only, and required there: the id of the project whose service accounts hold the keys. */
  readonly project?: string;
}

export interface LlmAdminSecret {
  readonly adminKey: string;
}

/** What a call to an admin API needs. */
export interface LlmAdminCredential {
  /** `anthropic` or `openai`. */
  readonly provider: string;
  /** A placeholder: `fetch` puts the key in its place. */
  readonly adminKey: string;
  /** As for the `llm` provider of the same name. */
  readonly baseURL: string;
  /** The URL of the collection that holds keys: API keys, or service accounts. `<keysURL>/<id>` is one of its items. */
  readonly keysURL: string;
  /** OpenAI only. */
  readonly project?: string;
}

export type LlmKeyIssuer = KeyIssuer<{ readonly apiKey: string }, LlmAdminCredential>;

const anthropic = { baseURL: serviceURL().optional() };
const openai = { ...anthropic, project: id };

const BY_HAND: Readonly<Record<string, string>> = {
  anthropic: 'delete the admin key at platform.claude.com, Settings, Admin keys',
  openai: 'delete the admin key at platform.openai.com, Settings, Admin keys',
};

export const llmAdmin = defineProviderType<'llm-admin', LlmAdminSecret, LlmAdminConfig, LlmAdminCredential>({
  type: 'llm-admin',
  variants: [
    { name: 'anthropic', title: 'named anthropic: creates and revokes the keys of llm/anthropic' },
    { name: 'openai', title: 'named openai: creates and revokes the keys of llm/openai' },
  ],
  config: (name): Fields<LlmAdminConfig> => {
    if (name === 'anthropic') return anthropic;
    if (name === 'openai') return openai;
    throw new ProviderError('ProviderConfigInvalid', 'name must be `anthropic` or `openai` for an llm-admin provider', {
      fields: ['name'],
    });
  },
  secret: { adminKey: secretKey },
  credential: ({ name, config, secret }) => ({
    provider: name,
    adminKey: secret.adminKey,
    baseURL: baseURLOf(name, config),
    keysURL: keysURL(name, config),
    project: config.project,
  }),
  shown: ({ name, config, secret }) => ({
    key: mask(secret.adminKey),
    host: new URL(baseURLOf(name, config)).host,
    ...(config.project !== undefined && { project: config.project }),
  }),
  destination: ({ name, config }) => [
    baseURLOf(name, config),
    ...(config.project === undefined ? [] : [`project=${config.project}`]),
  ],
  // A gateway may read the admin key in either of the vendor's two headers.
  sentIn: ({ name, config, secret }) =>
    sentInDialect({ provider: name, baseURL: baseURLOf(name, config) }, secret.adminKey),
  callerHeaders: [...USUAL_HEADERS, ...VENDOR_HEADERS],
  check: ({ provider, keysURL: url }, context) =>
    probe(
      (reply) => meaningOfModel(reply, { name: provider }),
      { url: `${url}?limit=1`, init: { headers: versionHeaders(provider) } },
      context,
      (body) =>
        Array.isArray((body as { data?: unknown } | undefined)?.data)
          ? { outcome: 'ok', detail: 'the service returned its list of keys' }
          : undefined,
    ),
  answers: meaningOfModel,
  revokeByHand: (name) => BY_HAND[name] ?? 'delete the admin key at the service',
});

function keysURL(name: string, config: LlmAdminConfig): string {
  const base = baseURLOf(name, config);
  return name === 'openai'
    ? `${base}/organization/projects/${config.project}/service_accounts`
    : `${base}/v1/organizations/api_keys`;
}
