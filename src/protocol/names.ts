/**
 * The names that stand in rows, references, ciphertexts and messages, and what may stand in them. Postgres checks the
 * same patterns once more (`store/schema`). Messages name the field, never the value: a key pasted into the wrong
 * field must not come back in an error.
 */
import { ProviderError } from './errors.js';
import type { ProviderIdentity, ProviderReference } from './references.js';

const WORKSPACE_ID = /^[A-Za-z0-9_.:-]{1,128}$/;
const PROVIDER_TYPE = /^[a-z][a-z0-9-]{0,31}$/;
const PROVIDER_NAME = /^[a-z0-9_.:-]{1,64}$/;
const ACTOR = /^\P{Cc}{1,200}$/u;

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

/** Who acts, for the audit. @throws ProviderError `ProviderConfigInvalid` */
export function checkActor(actor: string): string {
  return check(actor, ACTOR, 'actor', '1 to 200 characters, none of them a control character');
}

/** @throws ProviderError `ProviderConfigInvalid` where it is no whole number from 1 */
export function checkChainId(chainId: number): number {
  if (Number.isSafeInteger(chainId) && chainId > 0) return chainId;
  throw new ProviderError('ProviderConfigInvalid', 'chainId must be a whole number from 1', { fields: ['chainId'] });
}

/** @throws ProviderError `ProviderConfigInvalid` where it is no list of provider names, or an empty one */
export function checkPreference(providers: readonly string[]): readonly string[] {
  if (Array.isArray(providers) && providers.length > 0) return providers;
  const message = 'provider must be a name, or a list of names in order of preference';
  throw new ProviderError('ProviderConfigInvalid', message, { fields: ['provider'] });
}

/** @throws ProviderError `ProviderConfigInvalid` where the reference is to a provider of another type */
export function checkReference<Type extends string>(
  reference: ProviderReference<string>,
  type: Type,
): ProviderReference<Type> {
  if (reference?.type === type) return reference as ProviderReference<Type>;
  throw new ProviderError('ProviderConfigInvalid', `ref must be a reference to a provider of type ${type}`, {
    fields: ['ref'],
  });
}

/** How a provider is called in messages: `llm/anthropic of ws_acme`. */
export function describeProvider({ workspaceId, type, name }: ProviderIdentity): string {
  return `${type}/${name} of ${workspaceId}`;
}

function check(value: unknown, pattern: RegExp, field: string, allowed: string): string {
  if (typeof value === 'string' && pattern.test(value)) return value;
  throw new ProviderError('ProviderConfigInvalid', `${field} must be ${allowed}`, { fields: [field] });
}
