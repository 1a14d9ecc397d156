/**
 * One JSON-RPC read over the workspace's endpoints of a chain, in their order. An endpoint that is away, slow or over
 * its rate is passed over; a key that is refused is not, unless the caller asks for it: a fallback that hides dead
 * keys is found out when the last one dies.
 */
import { createClient } from 'viem';
import { isProviderError, ProviderError } from '../protocol/errors.js';
import type { ProviderReference } from '../protocol/references.js';
import { type Json, RPC_READ_METHODS, type RpcStepInput, type RpcStepResult } from '../protocol/steps.js';
import type { RpcCredential } from '../providers/rpc.js';
import { confirmChain } from '../providers/rpc.js';
import { transport } from '../providers/transport.js';
import type { ProviderCall, ProviderResolver } from '../resolver/provider-resolver.js';
import { atTheEdge } from './failures.js';
import { withHeartbeat } from './heartbeat.js';

/** Failures that say nothing about the request: another endpoint may answer it. */
const PASSED_OVER = new Set([
  'ProviderUnavailable',
  'ProviderRateLimited',
  'ProviderQuotaExhausted',
  'ProviderDisabled',
]);

export function createRpcStep(resolver: ProviderResolver) {
  return (input: RpcStepInput): Promise<RpcStepResult> =>
    atTheEdge(() => withHeartbeat((signal) => rpcStep(resolver, input, signal)));
}

async function rpcStep(resolver: ProviderResolver, input: RpcStepInput, signal: AbortSignal): Promise<RpcStepResult> {
  if (!RPC_READ_METHODS.includes(input.method)) {
    throw new ProviderError('ProviderConfigInvalid', 'rpcStep sends read methods only: see RPC_READ_METHODS', {
      fields: ['method'],
    });
  }
  const { workspaceId, chainId } = input.ref;
  const { endpoints } = await resolver.resolveRpcEndpoint(workspaceId, chainId, input.ref);
  const skipped: { name: string; failure: string }[] = [];
  for (const [index, endpoint] of endpoints.entries()) {
    try {
      return { ...(await ask(resolver, endpoint, input, signal)), skipped };
    } catch (error) {
      const isLast = index === endpoints.length - 1;
      if (isLast || signal.aborted || !isProviderError(error) || !isPassedOver(error, input)) throw error;
      skipped.push({ name: endpoint.name, failure: error.type });
    }
  }
  throw new ProviderError('ProviderNotConfigured', `${workspaceId} has no endpoint for chain ${chainId}`);
}

function isPassedOver(error: ProviderError, { onRejected = 'fail' }: RpcStepInput): boolean {
  return PASSED_OVER.has(error.type) || (onRejected === 'next' && error.type === 'CredentialRejected');
}

function ask(resolver: ProviderResolver, endpoint: ProviderReference, input: RpcStepInput, signal: AbortSignal) {
  return resolver.withProvider(
    { ...endpoint, type: 'rpc' as const },
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
