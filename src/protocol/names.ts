/**
 * The names that stand in rows, references, ciphertexts and messages, and what may stand in them. Postgres checks the
 * same patterns once more (`store/migrations`). Messages name the field, never the value: a key pasted into the wrong
 * field must not come back in an error.
 */
import { ProviderError } from './errors.js';
import type { ProviderIdentity } from './identity.js';

const WORKSPACE_ID = /^[A-Za-z0-9_.:-]{1,128}$/;
const PROVIDER_TYPE = /^[a-z][a-z0-9-]{0,31}$/;
const PROVIDER_NAME = /^[a-z0-9_.:-]{1,64}$/;

/** @throws ProviderError `ProviderConfigInvalid` where a name does not fit its pattern. */
export function checkWorkspaceId(workspaceId: string): string {
  return check(workspaceId, WORKSPACE_ID, 'workspaceId', '1 to 128 of A-Z a-z 0-9 _ . : -');
}

/** @throws ProviderError `ProviderConfigInvalid` where a name does not fit its pattern. */
export function checkProviderType(type: string): string {
  return check(type, PROVIDER_TYPE, 'type', '1 to 32 of a-z 0-9 -, a letter first');
}

/** @throws ProviderError `ProviderConfigInvalid` where a name does not fit its pattern. */
export function checkProviderName(name: string): string {
  return check(name, PROVIDER_NAME, 'name', '1 to 64 of a-z 0-9 _ . : -');
}

/** @throws ProviderError `ProviderConfigInvalid` where one of the three does not fit. */
export function checkIdentity(identity: ProviderIdentity): ProviderIdentity {
  checkWorkspaceId(identity.workspaceId);
  checkProviderType(identity.type);
  checkProviderName(identity.name);
  return identity;
}

/** How a provider is called in messages: `llm/anthropic of ws_acme`. */
export function describeProvider({ workspaceId, type, name }: ProviderIdentity): string {
  return `${type}/${name} of ${workspaceId}`;
}

function check(value: unknown, pattern: RegExp, field: string, allowed: string): string {
  if (typeof value === 'string' && pattern.test(value)) return value;
  throw new ProviderError('ProviderConfigInvalid', `${field} must be ${allowed}`, { fields: [field] });
}
