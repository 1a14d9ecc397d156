/** `workspace-providers/client`: for services and scripts that manage the providers of workspaces. */
export { type ProviderClientConfig, providerClientConfigFromEnv } from './client/client-config.js';
export type { Masked } from './client/masking.js';
export type { ProviderChange } from './client/provider-change.js';
export {
  type ConfigureProviderInput,
  ProviderClient,
  type UpdateProviderInput,
  type WrittenProvider,
} from './client/provider-client.js';
export type { ProviderSummary } from './client/provider-summary.js';
export { WorkspaceGrants } from './client/workspace-grants.js';
export { type EgressOptions, EgressPolicy } from './egress/policy.js';
export { GrantSigner } from './grants/grant-signer.js';
export type { ProviderCheckReport } from './management/provider-check.js';
export { FAILURE_TYPES, type FailureType, isProviderError, ProviderError } from './protocol/errors.js';
export type { ProviderIdentity } from './protocol/identity.js';
export { parseLocalKeyring } from './sealing/local-keyring.js';
export type { RootKeyring } from './sealing/root-keyring.js';
export type { ProviderAudit, ProviderEvent, ProviderUses, UsesInput } from './store/audit-store.js';
export { providerDataConverter } from './temporal/data-converter.js';
