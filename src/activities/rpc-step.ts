/**
 * One JSON-RPC read over the workspace's endpoints of a chain, in their order. An endpoint that is away, slow or over
 * its rate is passed over; a key that is refused is not, unless the caller asks for it: a fallback that hides dead
 * keys is found out when the last one dies.
 */
import { createClient } from 'viem';
import { isProviderError, ProviderError } from '../protocol/errors.js';
import type { ProviderReference } from '../protocol/references.js';
import { type Json, RPC_READ_METHODS, type RpcStepInput, type RpcStepResult } from '../protocol/steps.js';
import { confirmChain, type RpcCredential } from '../providers/rpc.js';
import { transport } from '../providers/transport.js';
import type { GrantedResolver } from '../resolver/granted-resolver.js';
import type { ProviderCall } from '../resolver/provider-call.js';
import { alive } from './heartbeat.js';

/** Failures that say nothing about the request: another endpoint may answer it. */
const PASSED_OVER = new Set([
  'ProviderUnavailable',
  'ProviderRateLimited',
  'ProviderQuotaExhausted',
  'ProviderDisabled',
]);

/** For one endpoint, its first answer for its chain included; a step has a minute for all of them. */
const ENDPOINT_TIMEOUT_MS = 15_000;

export function createRpcStep(resolver: GrantedResolver, endpointTimeoutMs = ENDPOINT_TIMEOUT_MS) {
  return (input: RpcStepInput): Promise<RpcStepResult> =>
    alive((signal) => rpcStep(resolver, input, signal, endpointTimeoutMs));
}

async function rpcStep(
  resolver: GrantedResolver,
  input: RpcStepInput,
  signal: AbortSignal,
  endpointTimeoutMs: number,
): Promise<RpcStepResult> {
  if (!RPC_READ_METHODS.includes(input.method)) {
    throw new ProviderError('ProviderConfigInvalid', 'rpcStep sends read methods only: see RPC_READ_METHODS', {
      fields: ['method'],
    });
  }
  const { workspaceId, chainId } = input.ref;
  const { endpoints } = await resolver.resolveRpcEndpoint(workspaceId, chainId, input.ref);
  const failures: { name: string; error: ProviderError }[] = [];
  for (const endpoint of endpoints) {
    try {
      // One that accepts and never answers must leave time for the next.
      const inTime = AbortSignal.any([signal, AbortSignal.timeout(endpointTimeoutMs)]);
      const answer = await ask(resolver, endpoint, input, inTime);
      return { ...answer, skipped: failures.map(({ name, error }) => ({ name, failure: error.type })) };
    } catch (error) {
      if (signal.aborted || !isProviderError(error) || !isPassedOver(error, input)) throw error;
      failures.push({ name: endpoint.name, error });
    }
  }
  // One that may answer later outweighs one that never will: the step is tried again.
  throw failures.find(({ error }) => error.retryable)?.error ?? failures.at(-1)?.error;
}

function isPassedOver(error: ProviderError, { onRejected = 'fail' }: RpcStepInput): boolean {
  return PASSED_OVER.has(error.type) || (onRejected === 'next' && error.type === 'CredentialRejected');
}

function ask(resolver: GrantedResolver, endpoint: ProviderReference<'rpc'>, input: RpcStepInput, signal: AbortSignal) {
  return resolver.withProvider(
    endpoint,
    async ({ credential, use, fetch }: ProviderCall<RpcCredential>) => {
      await confirmChain(credential, { fetch, signal });
      const client = createClient({ transport: transport(credential, fetch, signal) });
      const params = input.params ?? [];
      const result = (await client.request({ method: input.method, params } as never)) as Json;
      return { result, provider: use };
    },
    signal,
  );
}
