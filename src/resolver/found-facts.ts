/** What an observer is told about a credential that was found. */
import type { FoundProvider } from '../observer/observed.js';
import type { FoundChain, FoundCredential } from './credential-finder.js';

export function factsOf({ opened, cache }: FoundCredential): FoundProvider {
  const { workspaceId, type, name, version, source } = opened.reference;
  return { workspaceId, type, name, version, source, cache };
}

/** A chain that was found has an endpoint. */
export function firstOf({ endpoints: [first] }: FoundChain): FoundProvider {
  return factsOf(first as FoundCredential);
}
