/** What an observer is told about a credential that is looked for, or was found. */
import type { FoundProvider } from '../observer/observed.js';
import { PROVIDER_NAME, PROVIDER_TYPE, WORKSPACE_ID } from '../protocol/names.js';
import type { ProviderIdentity } from '../protocol/references.js';
import type { FoundChain, FoundCredential } from './credential-finder.js';

export function factsOf({ opened, cache }: FoundCredential): FoundProvider {
  const { workspaceId, type, name, version, source } = opened.reference;
  return { workspaceId, type, name, version, source, cache };
}

/** A chain that was found has an endpoint. */
export function firstOf({ endpoints: [first] }: FoundChain): FoundProvider {
  return factsOf(first as FoundCredential);
}

/** The names of a caller, as far as they are names: a key that was pasted in place of one must not get into a trace. */
export function shownNames({ workspaceId, type, name }: ProviderIdentity): ProviderIdentity {
  const shown = (text: unknown, pattern: RegExp) => (typeof text === 'string' && pattern.test(text) ? text : '?');
  return {
    workspaceId: shown(workspaceId, WORKSPACE_ID),
    type: shown(type, PROVIDER_TYPE),
    name: shown(name, PROVIDER_NAME),
  };
}
