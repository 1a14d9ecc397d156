/**
 * Stand-ins of the language model services: Anthropic, OpenAI, Gemini and an OpenAI-compatible one on one server, each
 * under its own prefix, because they share paths.
 */
import { anthropic } from '../../src/testing/services/anthropic.js';
import { KeyRing } from '../../src/testing/services/calls.js';
import { gemini } from '../../src/testing/services/gemini.js';
import { type ModelServiceOptions, modelService } from '../../src/testing/services/model-service.js';
import { openai, openaiCompatible } from '../../src/testing/services/openai.js';
import { type StandIn, startStandIn } from '../../src/testing/services/stand-in.js';
import type { LlmProvider, WireFormat } from '../../src/testing/services/wire-format.js';
import { anthropicAdmin } from './anthropic-admin.js';
import { type OpenaiAdminKey, OpenaiOrganization, type ServiceAccount } from './openai-organization.js';

const FORMATS: readonly WireFormat[] = [anthropic, openai, gemini, openaiCompatible];

export interface LlmKey {
  readonly provider: LlmProvider;
  readonly key: string;
  /** The workspace whose key it is. */
  readonly owner: string;
}

export interface LlmStandInOptions extends ModelServiceOptions {
  readonly keys: readonly LlmKey[];
  /** Default: 0, which is a free port. */
  readonly port?: number;
}

export interface LlmStandIn extends StandIn {
  /** The base URLs by client library: the vendor's own SDK, and the AI SDK's provider. */
  readonly baseUrls: Readonly<Record<LlmProvider, { readonly sdk: string; readonly aiSdk: string }>>;
  admit(key: LlmKey): void;
  /** Admits a key of Anthropic's admin API. It lists and deactivates the Anthropic keys of its owner. */
  admitAdmin(key: Pick<LlmKey, 'key' | 'owner'>): void;
  /** Admits a key of OpenAI's admin API. It creates and deletes service accounts in its project. */
  admitProjectAdmin(key: OpenaiAdminKey): void;
  /** OpenAI's service accounts with their keys: all that were ever created, in order. */
  serviceAccounts(): readonly ServiceAccount[];
}

export async function startLlmStandIn({ keys, port, ...options }: LlmStandInOptions): Promise<LlmStandIn> {
  const ring = new KeyRing();
  const admit = ({ provider, key, owner }: LlmKey): void => ring.admit(provider, key, owner);
  keys.forEach(admit);

  const services = FORMATS.map((format) => modelService(format, options));
  const organization = new OpenaiOrganization(ring);
  // The admin APIs come first, because the other APIs are mounted at prefixes of theirs.
  const mounted = [anthropicAdmin(ring), organization.service(), ...services];
  const standIn = await startStandIn(mounted, ring, port);
  const { url } = standIn;
  return {
    ...standIn,
    admit,
    admitAdmin: ({ key, owner }) => ring.admit('anthropic-admin', key, owner),
    admitProjectAdmin: (key) => organization.admit(key),
    serviceAccounts: () => organization.serviceAccounts(),
    baseUrls: {
      anthropic: { sdk: `${url}/anthropic`, aiSdk: `${url}/anthropic/v1` },
      openai: { sdk: `${url}/openai/v1`, aiSdk: `${url}/openai/v1` },
      gemini: { sdk: `${url}/gemini`, aiSdk: `${url}/gemini/v1beta` },
      'openai-compatible': { sdk: `${url}/compatible/v1`, aiSdk: `${url}/compatible/v1` },
    },
  };
}
