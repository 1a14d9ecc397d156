/** Creates new grant keys for a test, which sign both kinds of grants. */
import { type GrantSettings, newGrantSettings } from '../src/dev/grant-settings.js';

export interface TestGrantKeys extends GrantSettings {
  readonly signingKey: string;
  readonly keySet: string;
}

export async function newGrantKeys(): Promise<TestGrantKeys> {
  const settings = await newGrantSettings();
  const { workerEnv, starterEnv } = settings;
  return {
    ...settings,
    signingKey: starterEnv.PROVIDER_GRANT_SIGNING_KEY,
    keySet: workerEnv.PROVIDER_GRANT_KEYS,
  };
}
