/** `workspace-providers`: the worker's side. */
export type { ProviderActivities } from './activities/index.js';
export { type EgressOptions, EgressPolicy } from './egress/policy.js';
export { GrantVerifier } from './grants/grant-verifier.js';
export { FAILURE_TYPES, type FailureType, isProviderError, ProviderError } from './protocol/errors.js';
export type { ProviderIdentity } from './protocol/identity.js';
export type {
  CacheOutcome,
  ProviderReference,
  ProviderSource,
  ProviderUse,
  RpcReference,
} from './protocol/references.js';
export type { CredentialOf, ProviderTypeName } from './providers/index.js';
export { languageModel } from './providers/language-model.js';
export type { LlmCredential } from './providers/llm.js';
export { toProviderErrorFromResponse } from './providers/outcome.js';
export type { RpcCredential } from './providers/rpc.js';
export { Secret } from './providers/secret.js';
export type { TenderlyCredential } from './providers/tenderly.js';
export { transport } from './providers/transport.js';
export type { Fetch } from './providers/type.js';
export { redact } from './redaction/opened-secrets.js';
export { PlatformFallback } from './resolver/platform-fallback.js';
export type { OpenCredential, ProviderCall } from './resolver/provider-call.js';
export { ProviderResolver, type ProviderResolverOptions } from './resolver/provider-resolver.js';
export type { CacheCounts } from './resolver/workspace-cache.js';
export { parseLocalKeyring } from './sealing/local-keyring.js';
export { withProvider } from './temporal/context.js';
export { providerDataConverter } from './temporal/data-converter.js';
export { type ProviderConfig, providerConfigFromEnv } from './temporal/provider-config.js';
export { redactingLogger } from './temporal/redaction.js';
export { GRANT_INTERCEPTORS_PATH } from './temporal/workflow-source.js';
export { WorkspaceProviders } from './temporal/workspace-providers.js';
