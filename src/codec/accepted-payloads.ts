/** Which payloads a process with a payload key accepts, beside those that were encrypted for the same workflow. */
import { ProviderError } from '../protocol/errors.js';

export const ACCEPTED_SETTING = 'PROVIDER_PAYLOADS_ACCEPTED';

/**
 * `plaintext`: payloads that are not encrypted, while a key is introduced. `other-workflows`: payloads that were
 * encrypted for another workflow or namespace, for Nexus operations and replays.
 */
export type AcceptedPayloads = 'plaintext' | 'other-workflows';

const ALL: readonly string[] = ['plaintext', 'other-workflows'] satisfies AcceptedPayloads[];

/** Parses a list. @throws ProviderError `SetupInvalid` */
export function parseAccepted(text: string): readonly AcceptedPayloads[] {
  const words = text.split(',').map((word) => word.trim());
  const given = words.filter((word) => word !== '');
  if (given.every((word) => ALL.includes(word))) return given as AcceptedPayloads[];
  throw ProviderError.setupInvalid(ACCEPTED_SETTING, `must be ${ALL.join(', ')}, or both with a comma between them`);
}
