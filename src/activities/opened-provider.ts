/**
 * Opens the provider that a step names: by a reference, or by its name. A name is resolved here, in the activity that makes
 * the call, so the history has no event of it.
 */
import type { NamedProvider, ProviderReference } from '../protocol/references.js';
import type { CredentialOf } from '../providers/credentials.js';
import type { ProviderCall } from '../resolver/provider-call.js';
import type { ProviderResolver } from '../resolver/provider-resolver.js';

/** @param use - receives the reference too, because of a list of names it is known only now */
export async function opened<Type extends 'llm' | 'tenderly', Result>(
  resolver: ProviderResolver,
  asked: ProviderReference<Type> | NamedProvider<Type>,
  use: (reference: ProviderReference<Type>, call: ProviderCall<CredentialOf<Type>>) => Promise<Result>,
  signal: AbortSignal,
): Promise<Result> {
  if ('version' in asked) return resolver.withProvider(asked, (call) => use(asked, call), signal);
  const found = await resolver.resolveProvider(asked);
  return resolver.withResolved(found, (call) => use(found, call), signal);
}
