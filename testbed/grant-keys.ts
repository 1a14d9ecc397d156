/** Makes a key that signs grants of both kinds, for the length of a run, and returns its two halves as settings. */
import { generateGrantKey } from '../src/grants/grant-keys.js';

export interface TestGrantKeys {
  /** For workers. */
  readonly workerEnv: { readonly PROVIDER_GRANT_KEYS: string };
  /** For programs that start workflows. */
  readonly starterEnv: { readonly PROVIDER_GRANT_SIGNING_KEY: string };
  /** The secret part of the signing key. */
  readonly signingSecret: string;
  readonly signingKey: string;
  readonly keySet: string;
}

export async function newGrantKeys(): Promise<TestGrantKeys> {
  const { signingKey: generated, publicKey } = await generateGrantKey(['workspace', 'operator']);
  const signingKey = JSON.stringify(generated);
  const keySet = JSON.stringify({ keys: [publicKey] });
  return {
    workerEnv: { PROVIDER_GRANT_KEYS: keySet },
    starterEnv: { PROVIDER_GRANT_SIGNING_KEY: signingKey },
    signingSecret: generated.d,
    signingKey,
    keySet,
  };
}
