/** Makes a key that signs grants of both kinds, for the length of a run, and returns its two halves as settings. */
import { generateGrantKey } from '../grants/grant-keys.js';

export interface GrantSettings {
  /** For workers. */
  readonly workerEnv: { readonly PROVIDER_GRANT_KEYS: string };
  /** For programs that start workflows. */
  readonly starterEnv: { readonly PROVIDER_GRANT_SIGNING_KEY: string };
  /** The secret part of the signing key. */
  readonly signingSecret: string;
}

export async function newGrantSettings(): Promise<GrantSettings> {
  const { signingKey, publicKey } = await generateGrantKey(['workspace', 'operator']);
  return {
    workerEnv: { PROVIDER_GRANT_KEYS: JSON.stringify({ keys: [publicKey] }) },
    starterEnv: { PROVIDER_GRANT_SIGNING_KEY: JSON.stringify(signingKey) },
    signingSecret: signingKey.d,
  };
}
