/** Keys of grants, of both kinds, made anew by whoever needs them. */
import { generateGrantKey } from '../../src/grants/grant-keys.js';

export interface TestGrantKeys {
  readonly signingKey: string;
  readonly keySet: string;
  /** The part of the signing key that is secret. */
  readonly signingSecret: string;
  /** For workers. */
  readonly workerEnv: { readonly PROVIDER_GRANT_KEYS: string };
  /** For whoever starts workflows. */
  readonly starterEnv: { readonly PROVIDER_GRANT_SIGNING_KEY: string };
}

export async function newGrantKeys(): Promise<TestGrantKeys> {
  const { signingKey, publicKey } = await generateGrantKey(['workspace', 'operator']);
  const keys = { signingKey: JSON.stringify(signingKey), keySet: JSON.stringify({ keys: [publicKey] }) };
  return {
    ...keys,
    signingSecret: signingKey.d,
    workerEnv: { PROVIDER_GRANT_KEYS: keys.keySet },
    starterEnv: { PROVIDER_GRANT_SIGNING_KEY: keys.signingKey },
  };
}
