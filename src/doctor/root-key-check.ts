/** Whether the root keys are set, and open what is stored. */
import { checkRootKeys } from '../resolver/check-root-keys.js';
import type { RootKeyring } from '../sealing/root-keyring.js';
import type { ProviderStore } from '../store/provider-store.js';
import { fail, ok, type Part, type Result, skipped } from './finding.js';

export type SampledKey = Awaited<ReturnType<ProviderStore['sampleDataKeys']>>[number];

/** @param stored - some data keys of the database; absent if no login could read them */
export async function checkRootKey(
  keyring: Part<RootKeyring>,
  stored: readonly SampledKey[] | undefined,
): Promise<Result> {
  if ('problem' in keyring) return fail(keyring.problem);
  await keyring.value.preflight();
  const { activeKeyId } = keyring.value;
  if (!stored) return skipped(`${activeKeyId} seals; no login could read what it must open`);
  if (stored.length === 0) return ok(`${activeKeyId} seals; nothing is stored that it must open`);
  await checkRootKeys(keyring.value, { sampleDataKeys: async () => stored });
  return ok(`${activeKeyId} seals, and what is stored opens`);
}
