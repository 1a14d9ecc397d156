/**
 * Reads the address of Temporal from the variables and the file that Temporal's own tools read (`TEMPORAL_ADDRESS`, …).
 */
import { readFileSync } from 'node:fs';
import { type ClientConnectConfig, loadClientConnectConfig } from '@temporalio/envconfig';
import { fileProblem } from '../protocol/file-problem.js';
import { rememberOwnSecret } from '../redaction/opened-secrets.js';
import type { Settings } from './settings.js';

export interface TemporalConfig {
  readonly connection: ClientConnectConfig['connectionOptions'] & { readonly address: string };
  readonly namespace: string;
}

/** The settings that name a file. */
const FILES = [
  'TEMPORAL_CONFIG_FILE',
  'TEMPORAL_TLS_CLIENT_CERT_PATH',
  'TEMPORAL_TLS_CLIENT_KEY_PATH',
  'TEMPORAL_TLS_SERVER_CA_CERT_PATH',
];

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
    if (!refuseFiles(settings)) {
      settings.refuse('TEMPORAL_*', 'cannot be parsed: see https://docs.temporal.io/develop/environment-configuration');
    }
    return { connectionOptions: {} };
  }
}

/** Returns whether there was a file to refuse. */
function refuseFiles(settings: Settings): boolean {
  const refused = FILES.filter((name) => {
    const path = settings.env[name]?.trim();
    if (!path) return false;
    try {
      readFileSync(path);
      return false;
    } catch (error) {
      settings.refuse(name, `names a file that ${fileProblem(error)}`);
      return true;
    }
  });
  return refused.length > 0;
}
