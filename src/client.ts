/** `workspace-providers/client`: for services that start granted workflows, rotations and schedules on Temporal. */

export {
  ProviderSchedules,
  type ScheduleName,
  type ScheduleRun,
  type ScheduleSummary,
  type ScheduleTimes,
} from './client/provider-schedules.js';
export { type RotateInput, RotationClient, type RotationHandle } from './client/rotation-client.js';
export { WorkspaceGrants } from './client/workspace-grants.js';
export type { AcceptedPayloads } from './codec/accepted-payloads.js';
export { providerDataConverter } from './codec/data-converter.js';
export type { PayloadCodecOptions } from './codec/payload-codec.js';
export type { Duration } from './config/duration.js';
export { GrantSigner } from './grants/grant-signer.js';
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
  DrainReport,
  FencedWorker,
  FenceOutcome,
  FenceReport,
  HeldVersion,
  Holder,
  RevocationReport,
  RotateProviderInput,
  RotationState,
  RotationStatus,
} from './protocol/rotation.js';
export type { CheckTotals, RotateDueTotals } from './protocol/schedules.js';
