/**
 * One JSON-RPC read, tried on the workspace's endpoints of a chain in their order. An endpoint that is unavailable,
 * slow or over its rate limit is skipped. An endpoint whose key is rejected is skipped only if the caller asks for it:
 * if fail-over hid dead keys, nobody would notice before the last key died.
 */
import type { ProviderError } from '../protocol/errors.js';
import type { ProviderReference } from '../protocol/references.js';
import type { Json, RpcStepInput, RpcStepResult } from '../protocol/steps.js';
import { confirmChain, type RpcCredential } from '../providers/rpc/rpc.js';
import { viem, viemTransport } from '../providers/rpc/viem-transport.js';
import { firstAnswer, floorsIn, isPassedOver } from '../resolver/chain-endpoints.js';
import type { ProviderCall } from '../resolver/provider-call.js';
import type { ProviderResolver } from '../resolver/provider-resolver.js';
import { activity } from './run-activity.js';
import { rpcStepInput } from './step-inputs.js';

/** The time limit per endpoint, including the check of its chain. A step has one minute for all its endpoints. */
const ENDPOINT_TIMEOUT_MS = 15_000;

export function createRpcStep(resolver: ProviderResolver, endpointTimeoutMs = ENDPOINT_TIMEOUT_MS) {
  return activity(
    'rpcStep',
    rpcStepInput,
    (input, signal): Promise<RpcStepResult> =>
      resolver.inTurn(input.ref ?? input, signal, (workspaceId) =>
        rpcStep(resolver, workspaceId, input, signal, endpointTimeoutMs),
      ),
  );
}

async function rpcStep(
  resolver: ProviderResolver,
  workspaceId: string,
  input: RpcStepInput,
  signal: AbortSignal,
  endpointTimeoutMs: number,
): Promise<RpcStepResult> {
  const { chainId } = input.ref ?? input;
  const atLeast = { ...input.atLeast, ...(input.ref && floorsIn(input.ref)) };
  const { endpoints, unusable = [] } = await resolver.resolveRpcEndpoint({ workspaceId, chainId, atLeast });
  const mayPass = (error: ProviderError) =>
    !signal.aborted && (isPassedOver(error) || (input.onRejected === 'next' && error.type === 'CredentialRejected'));
  // An endpoint that accepts the request and never answers must leave time for the next one.
  const inTime = () => AbortSignal.any([signal, AbortSignal.timeout(endpointTimeoutMs)]);
  const { result, skipped } = await firstAnswer(
    endpoints,
    (endpoint) => ask(resolver, endpoint, input, inTime()),
    mayPass,
  );
  return { ...result, skipped: [...unusable, ...skipped] };
}

function ask(resolver: ProviderResolver, endpoint: ProviderReference<'rpc'>, input: RpcStepInput, signal: AbortSignal) {
  return resolver.withResolved(
    endpoint,
    async ({ credential, use, fetch }: ProviderCall<RpcCredential>) => {
      await confirmChain(credential, { fetch, signal });
      const client = viem().createClient({ transport: viemTransport(credential, fetch, signal) });
      const params = input.params ?? [];
      const result = (await client.request({ method: input.method, params } as never)) as Json;
      return { result, provider: use };
    },
    signal,
  );
}
