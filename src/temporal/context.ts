/**
 * Lets a user's own activity say `withProvider(ref, callback)` without passing the resolver around: the plugin's
 * activity interceptor puts it into the activity's asynchronous context.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { Context } from '@temporalio/activity';
import { TemporalFailure } from '@temporalio/common';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import { atTheEdge } from '../activities/failures.js';
import type { ProviderReference } from '../protocol/references.js';
import type { CredentialOf, ProviderTypeName } from '../providers/index.js';
import type { GrantedResolver } from '../resolver/granted-resolver.js';
import type { ProviderCall } from '../resolver/provider-call.js';

const current = new AsyncLocalStorage<GrantedResolver>();

/** Runs each activity with the resolver at hand. */
export function resolverInContext(resolver: GrantedResolver): ActivityInboundCallsInterceptor {
  return { execute: (input, next) => current.run(resolver, () => next(input)) };
}

/**
 * Opens a reference for the length of a callback, inside an activity of your own. Make the vendor's client in the
 * callback, with the `fetch` and `signal` that it is given and its own retries off; keep neither client nor credential.
 *
 * A refused credential is read again and tried once more. What a service answers becomes a typed failure
 * (`CredentialRejected`, `ProviderRateLimited`, …); a reference to another workspace than the workflow was granted is
 * `GrantInvalid`. An `ApplicationFailure` that you throw passes, less a cause that is
 * a client library's; any other error is replaced, since its text may hold the key. Heartbeats are yours: their details
 * would be lost if this sent its own.
 *
 * @throws Error outside of an activity of a worker that has the plugin
 * @example
 * const embed = (input: { ref: ProviderReference<'llm'>; text: string }) =>
 *   withProvider(input.ref, ({ credential, fetch, signal }) => …);
 */
export function withProvider<Type extends ProviderTypeName, Result>(
  reference: ProviderReference<Type>,
  callback: (call: ProviderCall<CredentialOf<Type>>) => Promise<Result>,
): Promise<Result> {
  const resolver = current.getStore();
  if (!resolver) {
    throw new Error('withProvider runs inside an activity of a worker that has the WorkspaceProviders plugin');
  }
  const { cancellationSignal } = Context.current();
  return atTheEdge(async () => {
    const outcome = await resolver.withProvider(
      reference,
      (call) => callback(call).then(succeeded, ownFailure),
      cancellationSignal,
    );
    if ('failure' in outcome) throw outcome.failure;
    return outcome.result;
  });
}

function succeeded<Result>(result: Result): { readonly result: Result } {
  return { result };
}

/** A failure that the callback decided on is no answer of the service, whatever answer stands in its causes. */
function ownFailure(error: unknown): { readonly failure: TemporalFailure } {
  if (error instanceof TemporalFailure) return { failure: error };
  throw error;
}
