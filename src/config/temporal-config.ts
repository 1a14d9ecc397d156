/**
 * Reads the address of Temporal from the variables and the file that Temporal's own tools read (`TEMPORAL_ADDRESS`, …).
 */
import { type ClientConnectConfig, loadClientConnectConfig } from '@temporalio/envconfig';
import { rememberOwnSecret } from '../redaction/opened-secrets.js';
import type { Settings } from './settings.js';

export interface TemporalConfig {
  readonly connection: ClientConnectConfig['connectionOptions'] & { readonly address: string };
  readonly namespace: string;
}

/** Values that cannot be parsed are refused as `TEMPORAL_*`. */
export function readTemporalConfig(settings: Settings): TemporalConfig {
  const { connectionOptions, namespace = 'default' } = load(settings);
  if (typeof connectionOptions.apiKey === 'string') rememberOwnSecret(connectionOptions.apiKey);
  return { connection: { ...connectionOptions, address: connectionOptions.address ?? 'localhost:7233' }, namespace };
}

function load(settings: Settings): ClientConnectConfig {
  try {
    const overrideEnvVars = Object.fromEntries(
      Object.entries(settings.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
    );
    return loadClientConnectConfig({ overrideEnvVars });
  } catch {
    settings.refuse('TEMPORAL_*', 'cannot be parsed: see https://docs.temporal.io/develop/environment-configuration');
    return { connectionOptions: {} };
  }
}
