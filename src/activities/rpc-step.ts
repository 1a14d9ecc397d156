/**
 * One JSON-RPC read, tried on the workspace's endpoints of a chain in their order. An endpoint that is unavailable,
 * slow or over its rate limit is skipped. An endpoint whose key is rejected is skipped only if the caller asks for it:
 * if fail-over hid dead keys, nobody would notice before the last key died.
 */
import { ProviderError } from '../protocol/errors.js';
import type { ProviderReference } from '../protocol/references.js';
import { type Json, RPC_READ_METHODS, type RpcStepInput, type RpcStepResult } from '../protocol/steps.js';
import { confirmChain, type RpcCredential } from '../providers/rpc/rpc.js';
import { viem, viemTransport } from '../providers/rpc/viem-transport.js';
import { firstAnswer, isPassedOver } from '../resolver/chain-endpoints.js';
import type { ProviderCall, ProviderResolver } from '../resolver/provider-resolver.js';
import { checkResultSize, runWithHeartbeat } from './run-activity.js';

/** The time limit per endpoint, including the check of its chain. A step has one minute for all its endpoints. */
const ENDPOINT_TIMEOUT_MS = 15_000;

export function createRpcStep(resolver: ProviderResolver, endpointTimeoutMs = ENDPOINT_TIMEOUT_MS) {
  return (input: RpcStepInput): Promise<RpcStepResult> =>
    runWithHeartbeat((signal) => rpcStep(resolver, input, signal, endpointTimeoutMs));
}

async function rpcStep(
  resolver: ProviderResolver,
  input: RpcStepInput,
  signal: AbortSignal,
  endpointTimeoutMs: number,
): Promise<RpcStepResult> {
  if (!RPC_READ_METHODS.includes(input.method)) {
    throw ProviderError.configInvalid('method', 'must be one of RPC_READ_METHODS: rpcStep only reads');
  }
  const { endpoints, unusable = [] } = await resolver.resolveRpcEndpoint(input.ref, input.ref);
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
  return resolver.withProvider(
    endpoint,
    async ({ credential, use, fetch }: ProviderCall<RpcCredential>) => {
      await confirmChain(credential, { fetch, signal });
      const client = viem().createClient({ transport: viemTransport(credential, fetch, signal) });
      const params = input.params ?? [];
      const result = (await client.request({ method: input.method, params } as never)) as Json;
      return checkResultSize({ result, provider: use }, endpoint);
    },
    signal,
  );
}
