/** `workspace-providers/management`: for services and scripts that manage the providers of workspaces. Needs Postgres only. */
export type { Duration } from './config/duration.js';
export type { ProviderClientOptions } from './config/manager-config.js';
export type { StoreOptions } from './config/resolver-config.js';
export type { AnswerLimits } from './egress/answer-limits.js';
export type { Fetch } from './egress/http-client.js';
export type { EgressOptions } from './egress/policy.js';
export type { RequestWatch } from './egress/sealed-head.js';
export type { ChangeOptions, FenceWait } from './management/change-fence.js';
export type { ImportSource } from './management/import-lines.js';
export type { ExistingProviders } from './management/import-plan.js';
export type { ImportOptions, ImportProgress, ImportReport } from './management/import-providers.js';
export type { Masked } from './management/masking.js';
export type { ProviderChange } from './management/provider-change.js';
export type { ProviderCheckReport } from './management/provider-check.js';
export { ProviderClient } from './management/provider-client.js';
export type {
  ChangedProvider,
  ConfigureProviderInput,
  Fenced,
  UpdateProviderInput,
  WrittenProvider,
} from './management/provider-inputs.js';
export type { ProviderSummary } from './management/provider-summary.js';
export type { RewrapReport } from './management/rewrap-data-keys.js';
export type { StageRotationInput } from './management/rotation-credentials.js';
export type { SecretFields } from './management/secret-vault.js';
export {
  isProviderError,
  type LineProblem,
  ProviderError,
  type ProviderErrorFacts,
} from './protocol/errors.js';
export { FAILURE_TYPES, type FailureFacts, type FailureType } from './protocol/failure-types.js';
export type { ProviderIdentity } from './protocol/references.js';
export type {
  CheckOutcome,
  CheckReport,
  FencedWorker,
  FenceOutcome,
  FenceReport,
  RotationOrigin,
  RotationState,
} from './protocol/rotation.js';
export type { ServiceReply } from './providers/answers/error-body.js';
export type { AnswerMeaning } from './providers/answers/meanings.js';
export type { AnswerRule } from './providers/answers/rule.js';
export { serviceAnswerError } from './providers/answers/service-answer.js';
export type { ProbeCall } from './providers/credential-probe.js';
export type { OwnType, OwnTypes } from './providers/credentials.js';
export {
  type DefaultCredential,
  defineProviderType,
  type ProviderTypeDefinition,
} from './providers/define-type.js';
export type { FieldResult, FieldSchema, Fields } from './providers/field-schema.js';
export { secretKey, serviceURL } from './providers/fields.js';
export type { SentSecret } from './providers/service-binding.js';
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
export { Secret } from './redaction/secret.js';
export type { RootKeyring, WrappedKey } from './sealing/root-keyring.js';
export type { ProviderAudit, ProviderEvent, UsageEntry, UsageInput } from './store/audit-store.js';
export type { ProviderCheck } from './store/management-store.js';
export type { RegisteredWorker, WorkerRegistration, WrappedDataKey } from './store/ports.js';
export type { RotationSummary } from './store/rotation-store.js';
