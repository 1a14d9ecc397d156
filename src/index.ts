/** `workspace-providers`: for workers. */
export type { AcceptedPayloads } from './codec/accepted-payloads.js';
export { providerDataConverter } from './codec/data-converter.js';
export type { PayloadCodecOptions } from './codec/payload-codec.js';
export type { Duration } from './config/duration.js';
export { type HardenProcessOptions, hardenProcess } from './config/process-hardening.js';
export type { ProviderOptions, ResolverOptions, StoreOptions } from './config/resolver-config.js';
export type { AnswerLimits } from './egress/answer-limits.js';
export type { Fetch } from './egress/http-client.js';
export type { EgressOptions } from './egress/policy.js';
export type { RequestWatch } from './egress/sealed-head.js';
export type { LeaseCounts } from './fence/lease-keeper.js';
export type { MetricsServer } from './plugin/metrics-server.js';
export { redactingLogger } from './plugin/redacting-activity.js';
export { type ServeMetricsOptions, serveMetrics } from './plugin/serve-metrics.js';
export { type NamedChain, type WithProvider, withProvider } from './plugin/with-provider.js';
export { type ProviderCounts, WorkspaceProviders } from './plugin/workspace-providers.js';
export {
  isProviderError,
  type LineProblem,
  ProviderError,
  type ProviderErrorFacts,
} from './protocol/errors.js';
export { FAILURE_TYPES, type FailureFacts, type FailureType } from './protocol/failure-types.js';
export type { LlmOptions, LlmProviderOptions, ReasoningEffort } from './protocol/llm-step.js';
export type {
  CacheOutcome,
  NamedProvider,
  ProviderIdentity,
  ProviderReference,
  ProviderSource,
  ProviderUse,
  RpcReference,
  UnusableEndpoint,
  VersionFloors,
  WantedProvider,
} from './protocol/references.js';
export type {
  Json,
  ResolveLlmKeyInput,
  ResolveRpcEndpointInput,
  ResolveTenderlyConfigInput,
} from './protocol/steps.js';
export type { ServiceReply } from './providers/answers/error-body.js';
export type { AnswerMeaning } from './providers/answers/meanings.js';
export type { AnswerRule } from './providers/answers/rule.js';
export { serviceAnswerError } from './providers/answers/service-answer.js';
export type { ProbeCall } from './providers/credential-probe.js';
export type {
  CredentialOf,
  OwnType,
  OwnTypes,
  ProviderCredentials,
  StepProviderType,
} from './providers/credentials.js';
export {
  type DefaultCredential,
  defineProviderType,
  type ProviderTypeDefinition,
} from './providers/define-type.js';
export type { FieldResult, FieldSchema, Fields } from './providers/field-schema.js';
export { secretKey, serviceURL } from './providers/fields.js';
export type { HttpCredential } from './providers/http/http.js';
export { type AiSdkModel, aiSdkModel } from './providers/llm/ai-sdk-model.js';
export type { LlmCredential } from './providers/llm/llm.js';
export type { LlmDialect, LlmProtocol, StructuredOutputs } from './providers/llm/llm-config.js';
export type { KeyHeader } from './providers/llm/vendors.js';
export type { RpcCredential } from './providers/rpc/rpc.js';
export { type ViemTransport, viemTransport } from './providers/rpc/viem-transport.js';
export type { SentSecret } from './providers/service-binding.js';
export type { TenderlyCredential } from './providers/tenderly/tenderly.js';
export type {
  CheckContext,
  CheckResult,
  HeldProvider,
  IssuedKey,
  IssueRequest,
  KeyIssuer,
  ProviderFields,
  ProviderType,
  ProviderVariant,
  PublicFields,
} from './providers/type.js';
export { redact } from './redaction/opened-secrets.js';
export { Secret } from './redaction/secret.js';
export type { OpenCredential, ProviderCall } from './resolver/provider-call.js';
export { ProviderResolver } from './resolver/provider-resolver.js';
export type { CacheCounts } from './resolver/workspace-cache.js';
export type { RootKeyring, WrappedKey } from './sealing/root-keyring.js';
export type { WrappedDataKey } from './store/ports.js';
