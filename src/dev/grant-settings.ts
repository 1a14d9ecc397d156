/** A key that signs grants of both kinds, made for the length of a run, as settings of those who have its halves. */
import { generateGrantKey } from '../grants/grant-keys.js';

export interface GrantSettings {
  /** For workers. */
  readonly workerEnv: { readonly PROVIDER_GRANT_KEYS: string };
  /** For whoever starts workflows. */
  readonly starterEnv: { readonly PROVIDER_GRANT_SIGNING_KEY: string };
  /** The part of the signing key that is secret. */
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
