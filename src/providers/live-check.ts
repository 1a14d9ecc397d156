/** Asks a live service whether it takes a credential. What a service or a client library says does not leave here. */

import type { Fetch } from '../egress/http-client.js';
import { isProviderError } from '../protocol/errors.js';
import { type ParsedProvider, providerType } from './registry.js';
import type { CheckResult } from './type.js';

/** Lists are answered within a second or two; a person waits for this one. */
const CHECK_TIMEOUT_MS = 15_000;

/** @throws ProviderError `ProviderConfigInvalid` where the service shows that the config is wrong: another chain */
export async function checkLive(type: string, { credential }: ParsedProvider, fetch: Fetch): Promise<CheckResult> {
  const signal = AbortSignal.timeout(CHECK_TIMEOUT_MS);
  try {
    return await providerType(type).check(credential, { fetch, signal });
  } catch (error) {
    if (isProviderError(error, 'ProviderConfigInvalid')) throw error;
    const detail = signal.aborted
      ? `the service did not answer within ${CHECK_TIMEOUT_MS / 1_000} s`
      : 'the service could not be asked';
    return { outcome: 'cannot-tell', detail };
  }
}
