/** Checks a credential against the live service. The words of a service or a client library are not passed on. */

import type { Fetch } from '../egress/http-client.js';
import { isProviderError } from '../protocol/errors.js';
import type { ParsedProvider } from './parse-provider.js';
import type { CheckResult } from './type.js';

/** Services answer a check within a second or two, and a person waits for the result. */
const CHECK_TIMEOUT_MS = 15_000;

/**
 * @throws ProviderError `ProviderConfigInvalid` if the service shows that the config is wrong, such as another chain
 */
export async function checkLive(provider: ParsedProvider, fetch: Fetch): Promise<CheckResult> {
  const signal = AbortSignal.timeout(CHECK_TIMEOUT_MS);
  try {
    return await provider.service.check({ fetch, signal });
  } catch (error) {
    if (isProviderError(error, 'ProviderConfigInvalid')) throw error;
    const detail = signal.aborted
      ? `the service did not answer within ${CHECK_TIMEOUT_MS / 1_000} s`
      : 'the service could not be asked';
    return { outcome: 'cannot-tell', detail };
  }
}
