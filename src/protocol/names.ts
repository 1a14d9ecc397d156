/**
 * The names in rows, references, ciphertexts and messages, and the characters that they may have. Postgres checks the
 * same patterns again (`store/schema`). Messages name the field and never show the value: a key that was pasted into
 * the wrong field must not come back in an error.
 */
import { ProviderError } from './errors.js';
import type { ProviderIdentity } from './references.js';

export const WORKSPACE_ID = /^[A-Za-z0-9_.:-]{1,128}$/;
export const PROVIDER_TYPE = /^[a-z][a-z0-9-]{0,31}$/;
export const PROVIDER_NAME = /^[a-z0-9_.:-]{1,64}$/;
const ACTOR = /^\P{Cc}{1,200}$/u;

/** @throws ProviderError `ProviderConfigInvalid` if it does not match its pattern */
export function checkWorkspaceId(workspaceId: string): string {
  return check(workspaceId, WORKSPACE_ID, 'workspaceId', '1 to 128 characters from A-Z a-z 0-9 _ . : -');
}

/** @throws ProviderError `ProviderConfigInvalid` if it does not match its pattern */
export function checkProviderType(type: string): string {
  return check(type, PROVIDER_TYPE, 'type', '1 to 32 characters from a-z 0-9 -, starting with a letter');
}

/** @throws ProviderError `ProviderConfigInvalid` if it does not match its pattern */
export function checkProviderName(name: string): string {
  return check(name, PROVIDER_NAME, 'name', '1 to 64 characters from a-z 0-9 _ . : -');
}

/** @throws ProviderError `ProviderConfigInvalid` if one of the three names does not match its pattern */
export function checkIdentity(identity: ProviderIdentity): ProviderIdentity {
  checkWorkspaceId(identity.workspaceId);
  checkProviderType(identity.type);
  checkProviderName(identity.name);
  return identity;
}

/** Checks who acts, for the audit. @throws ProviderError `ProviderConfigInvalid` if it does not match its pattern */
export function checkActor(actor: string): string {
  return check(actor, ACTOR, 'actor', '1 to 200 characters, without control characters');
}

/** @throws ProviderError `ProviderConfigInvalid` if it is not a whole number from 1 */
export function checkChainId(chainId: number): number {
  if (Number.isSafeInteger(chainId) && chainId > 0) return chainId;
  throw new ProviderError('ProviderConfigInvalid', 'chainId must be a whole number from 1', { fields: ['chainId'] });
}

/** @throws ProviderError `ProviderConfigInvalid` if it is neither a name nor a list of names */
export function checkPreference(names: unknown): readonly string[] {
  if (typeof names === 'string') return [names];
  if (Array.isArray(names) && names.length > 0) return names;
  const message = 'the provider must be a name, or a list of names in order of preference';
  throw new ProviderError('ProviderConfigInvalid', message, { fields: ['provider'] });
}

/** The name of a provider in messages: `llm/anthropic of ws_acme`. */
export function describeProvider({ workspaceId, type, name }: ProviderIdentity): string {
  return `${type}/${name} of ${workspaceId}`;
}

function check(value: unknown, pattern: RegExp, field: string, allowed: string): string {
  if (typeof value === 'string' && pattern.test(value)) return value;
  throw new ProviderError('ProviderConfigInvalid', `${field} must be ${allowed}`, { fields: [field] });
}

/** The error for a provider that does not exist. */
export function notConfigured({ workspaceId, type, name }: ProviderIdentity): ProviderError {
  const provider = { workspaceId, type, name };
  const message = `there is no ${describeProvider(provider)}: see workspace-providers list ${workspaceId}, or configure it`;
  return new ProviderError('ProviderNotConfigured', message, { provider });
}
