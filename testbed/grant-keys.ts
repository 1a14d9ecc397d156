/** Keys of grants, of both kinds, made anew by whoever needs them. */
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
