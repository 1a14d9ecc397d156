/** Gets the error of a real client library, and checks what it is mapped to. */
import { afterAll, beforeAll, expect } from 'vitest';
import { createFetch, type HttpClient } from '../../../src/egress/http-client.js';
import { ProviderError } from '../../../src/protocol/errors.js';
import type { FailureType } from '../../../src/protocol/failure-types.js';
import type { ProviderIdentity } from '../../../src/protocol/references.js';
import { LOOPBACK_POLICY } from '../../../testbed/loopback.js';
import { type Call, type Caller, KEY } from '../callers.js';
import { type Answer, type ServiceReply, startService } from '../local-service.js';
import { everyPrintOf } from '../prints.js';

/** The longest answer that the client of a test file accepts. */
export const LONGEST_ANSWER_BYTES = 64 * 1024;

/** The HTTP client of a test file, with short timeouts and a small limit for answers. */
export function impatientClient(): { readonly current: HttpClient } {
  const client = {} as { current: HttpClient };
  beforeAll(() => {
    client.current = createFetch({
      egress: LOOPBACK_POLICY,
      limits: { firstByteMs: 200, progressMs: 200 },
      maxResponseBytes: LONGEST_ANSWER_BYTES,
    });
  });
  afterAll(() => client.current.close());
  return client;
}

export const llm = (name: string): ProviderIdentity => ({ workspaceId: 'ws_acme', type: 'llm', name });
export const rpc: ProviderIdentity = { workspaceId: 'ws_acme', type: 'rpc', name: 'mainnet' };
export const tenderly: ProviderIdentity = { workspaceId: 'ws_acme', type: 'tenderly', name: 'default' };

/** Returns the error that `caller` throws for this answer. */
export async function thrownBy(
  caller: Caller,
  answer: Answer | ServiceReply,
  call: Omit<Call, 'url'>,
): Promise<unknown> {
  const service = await startService(answer);
  try {
    await caller({ url: service.url, ...call });
  } catch (error) {
    return error;
  }
  throw new Error('the call succeeded, but an error was expected');
}

/** Expects an error of that type about that provider, without a trace of the key. */
export function expectOutcome(error: ProviderError | undefined, type: FailureType, provider: ProviderIdentity): void {
  expect(error).toBeInstanceOf(ProviderError);
  expect(error).toMatchObject({ type, facts: { provider } });
  expect(error?.message).toContain(`${provider.type}/${provider.name} of ws_acme`);
  expect(error).not.toHaveProperty('cause');
  expect(everyPrintOf(error)).not.toContain(KEY);
}
