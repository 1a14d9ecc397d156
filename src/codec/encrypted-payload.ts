/** How an encrypted payload is recognized, also by a process that has no key for it. */
import type { Payload } from '@temporalio/common';
import { ProviderError } from '../protocol/errors.js';

export const PAYLOAD_KEY_SETTING = 'PROVIDER_PAYLOAD_KEY';

export const JWE_ENCODING = 'binary/jwe';

export function isEncrypted({ metadata }: Payload): boolean {
  return Buffer.from(metadata?.encoding ?? []).toString() === JWE_ENCODING;
}

/** Returns the payloads. @throws ProviderError `SetupInvalid` if one is still encrypted after all codecs have decoded it */
export function refuseEncrypted(payloads: Payload[]): Payload[] {
  if (!payloads.some(isEncrypted)) return payloads;
  throw payloadRefused(
    PAYLOAD_KEY_SETTING,
    'is not set in this process, and a payload is encrypted with it: give every worker and client of the namespace the ' +
      'same keys',
  );
}

/**
 * An error about a payload that this process does not decode. Another process may, or this one after a restart with
 * other settings: Temporal tries again.
 */
export function payloadRefused(setting: string, rule: string): ProviderError {
  return new ProviderError('SetupInvalid', `${setting} ${rule}`, { fields: [setting], isPassing: true });
}
