/**
 * Lets a user's activity call `withProvider(ref, callback)` without a resolver in its arguments: the plugin's activity
 * interceptor puts the resolver into the activity's asynchronous context.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { Context } from '@temporalio/activity';
import { TemporalFailure } from '@temporalio/common';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import { runActivity } from '../activities/run-activity.js';
import type { ProviderReference, RpcReference } from '../protocol/references.js';
import type { ProviderCredentials, StepProviderType } from '../providers/registry.js';
import type { ProviderCall, ProviderResolver } from '../resolver/provider-resolver.js';

const current = new AsyncLocalStorage<ProviderResolver>();

/** Runs each activity with the resolver in its context. */
export function resolverInContext(resolver: ProviderResolver): ActivityInboundCallsInterceptor {
  return { execute: (input, next) => current.run(resolver, () => next(input)) };
}

/**
 * Opens a reference for the length of a callback, inside your own activity. Make the vendor's client in the callback,
 * with the `fetch` and `signal` that it receives and with the client's retries off. Keep neither the client nor the
 * credential.
 *
 * If the service rejects the credential, it is read again and tried once more. With the reference of a chain, the next
 * endpoint is asked if one is unavailable. A service's error becomes a typed failure (`CredentialRejected`,
 * `ProviderRateLimited`, …); a workspace that has too many steps running in this worker fails with
 * `ProviderRateLimited`, and a reference to a workspace that the workflow has no grant for with `GrantInvalid`. An
 * `ApplicationFailure` that you throw passes, but without a client library's error as its cause. Any other error is
 * replaced, because its text may hold the key. Send heartbeats yourself: their details would be lost if this function
 * sent its own.
 *
 * @throws Error if it is called outside of an activity of a worker that has the plugin
 * @example
 * const embed = (input: { ref: ProviderReference<'llm'>; text: string }) =>
 *   withProvider(input.ref, ({ credential, fetch, signal }) => …);
 */
export function withProvider<Type extends StepProviderType, Result>(
  reference: ProviderReference<Type>,
  callback: (call: ProviderCall<ProviderCredentials[Type]>) => Promise<Result>,
): Promise<Result>;
export function withProvider<Result>(
  reference: RpcReference,
  callback: (call: ProviderCall<ProviderCredentials['rpc']>) => Promise<Result>,
): Promise<Result>;
export function withProvider<Result>(
  reference: ProviderReference<'rpc'> | RpcReference,
  callback: (call: ProviderCall<ProviderCredentials['rpc']>) => Promise<Result>,
): Promise<Result> {
  const resolver = current.getStore();
  if (!resolver) {
    throw new Error(
      'withProvider must be called inside an activity of a worker that has the WorkspaceProviders plugin',
    );
  }
  const { cancellationSignal } = Context.current();
  return runActivity(async () => {
    const attempt = (call: ProviderCall<ProviderCredentials['rpc']>) => callback(call).then(succeeded, ownFailure);
    const outcome = await resolver.inTurn(reference, cancellationSignal, () =>
      // One call per overload of the resolver: a union fits none of them.
      'endpoints' in reference
        ? resolver.withProvider(reference, attempt, cancellationSignal)
        : resolver.withProvider(reference, attempt, cancellationSignal),
    );
    if ('failure' in outcome) throw outcome.failure;
    return outcome.result;
  });
}

function succeeded<Result>(result: Result): { readonly result: Result } {
  return { result };
}

/** A failure that the callback throws is not a service's answer, whatever its causes are. */
function ownFailure(error: unknown): { readonly failure: TemporalFailure } {
  if (error instanceof TemporalFailure) return { failure: error };
  throw error;
}
