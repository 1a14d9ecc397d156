/**
 * Lets a user's activity call `withProvider(provider, callback)` without a resolver in its arguments: the plugin's
 * activity interceptor puts the resolver into the activity's asynchronous context.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { Context } from '@temporalio/activity';
import { TemporalFailure } from '@temporalio/common';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import { runActivity } from '../activities/run-activity.js';
import type { NamedProvider, ProviderReference, RpcReference } from '../protocol/references.js';
import type { ResolveRpcEndpointInput } from '../protocol/steps.js';
import type { CredentialOf, OwnTypes, StepProviderType } from '../providers/credentials.js';
import type { RpcCredential } from '../providers/rpc/rpc.js';
import type { ProviderCall } from '../resolver/provider-call.js';
import type { ProviderResolver } from '../resolver/provider-resolver.js';

interface RunningActivity {
  readonly resolver: ProviderResolver;
  /** Aborted when the activity has ended. */
  readonly ended: AbortSignal;
}

const current = new AsyncLocalStorage<RunningActivity>();

/** Runs each activity with the resolver in its context. */
export function resolverInContext(resolver: ProviderResolver): ActivityInboundCallsInterceptor {
  return {
    async execute(input, next) {
      const ended = new AbortController();
      try {
        return await current.run({ resolver, ended: ended.signal }, () => next(input));
      } catch (error) {
        throw unwrapped(error);
      } finally {
        ended.abort();
      }
    },
  };
}

const unwrappedFailures = new WeakSet<object>();

/**
 * Marks a failure of {@link withProvider}: it leaves the running activity as it is, even if the framework that called
 * `withProvider` makes it the cause of another failure. Temporal decides by its type whether to retry.
 */
export function leavesUnwrapped(failure: unknown): unknown {
  if (failure instanceof TemporalFailure) unwrappedFailures.add(failure);
  return failure;
}

/** Frameworks wrap an error a few times at most. */
const MAX_WRAPPERS = 12;

function unwrapped(error: unknown): unknown {
  let link = error;
  for (let depth = 0; depth < MAX_WRAPPERS && link instanceof Error; depth += 1) {
    if (unwrappedFailures.has(link)) return link;
    link = link.cause;
  }
  return error;
}

/** @throws Error if no activity of a worker that has the plugin is running */
export function runningActivity(): RunningActivity {
  const running = current.getStore();
  if (running) return running;
  throw new Error('withProvider must be called inside an activity of a worker that has the WorkspaceProviders plugin');
}

/** The endpoints of a chain that the workspace has. */
export interface NamedChain extends ResolveRpcEndpointInput {
  readonly type: 'rpc';
}

/** {@link withProvider}, for provider types of your own too. */
export interface WithProvider<Types extends OwnTypes = []> {
  <Type extends StepProviderType<Types>, Result>(
    provider: ProviderReference<Type> | NamedProvider<Type>,
    callback: (call: ProviderCall<CredentialOf<Type, Types>>) => Promise<Result>,
  ): Promise<Result>;
  <Result>(
    provider: RpcReference | NamedChain,
    callback: (call: ProviderCall<RpcCredential>) => Promise<Result>,
  ): Promise<Result>;
  /**
   * Returns the same function for TypeScript, which then knows the credentials of your own provider types.
   *
   * @example
   * export const withProvider = anyProvider.withTypes<[typeof pinecone]>();
   */
  withTypes<Own extends OwnTypes>(): WithProvider<Own>;
}

/**
 * Opens a provider for the length of a callback, inside your own activity: by a reference, or by its type and name (or
 * chain) for the workspace of the workflow's grant. Make the vendor's client in the callback, with the `fetch` and
 * `signal` that it receives and with the client's retries off. Keep neither the client nor the credential.
 *
 * If the service rejects the credential, it is read again and tried once more. With a chain, the next endpoint is asked
 * if one is unavailable. A service's error becomes a typed failure (`CredentialRejected`, `ProviderRateLimited`, …); a
 * workspace that has too many steps running in this worker fails with `ProviderRateLimited`, and a workspace that the
 * workflow has no grant for with `GrantInvalid`. An `ApplicationFailure` that you throw passes, but without a client
 * library's error as its cause. Any other error is replaced, because its text may hold the key. Send heartbeats
 * yourself: their details would be lost if this function sent its own.
 *
 * @throws Error if it is called outside of an activity of a worker that has the plugin
 * @example
 * const embed = (text: string) =>
 *   withProvider({ type: 'llm', name: 'openai' }, ({ credential, fetch, signal }) => …);
 */
export const withProvider: WithProvider = Object.assign(openProvider, { withTypes: () => withProvider as never });

function openProvider<Result>(
  provider: AnyProvider,
  callback: (call: ProviderCall<RpcCredential>) => Promise<Result>,
): Promise<Result> {
  const { resolver } = runningActivity();
  const { cancellationSignal } = Context.current();
  return runActivity(async () => {
    const reference = await referenceTo(provider, resolver);
    const attempt = (call: ProviderCall<RpcCredential>) => callback(call).then(succeeded, ownFailure);
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

type AnyProvider = ProviderReference<'rpc'> | NamedProvider<'rpc'> | RpcReference | NamedChain;

async function referenceTo(
  provider: AnyProvider,
  resolver: ProviderResolver,
): Promise<ProviderReference<'rpc'> | RpcReference> {
  if ('version' in provider || 'endpoints' in provider) return provider;
  return 'chainId' in provider ? resolver.resolveRpcEndpoint(provider) : resolver.resolveProvider(provider);
}

function succeeded<Result>(result: Result): { readonly result: Result } {
  return { result };
}

/** A failure that the callback throws is not a service's answer, whatever its causes are. */
function ownFailure(error: unknown): { readonly failure: TemporalFailure } {
  if (error instanceof TemporalFailure) return { failure: error };
  throw error;
}
