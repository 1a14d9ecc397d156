/** The clients of a command: for the Postgres and the Temporal of its environment, closed when the command ends. */
import { hostname, userInfo } from 'node:os';
import type { Client } from '@temporalio/client';
import { takeEnvironment } from '../config/process-hardening.js';
import { Settings } from '../config/settings.js';
import { NO_GRANTS, warnOfNoGrants } from '../grants/policy.js';
import { ProviderClient } from '../management/provider-client.js';
import { ProviderError } from '../protocol/errors.js';

export interface Temporal {
  readonly client: Client;
  /** The task queue on which rotations and schedules run. */
  readonly operationsTaskQueue: string;
}

/** gRPC status codes. The server is unavailable or late; it rejects the caller's credential or permission. */
const AWAY: readonly number[] = [4, 14];
const REFUSED: readonly number[] = [7, 16];

/** Runs `use` with a client whose changes are recorded in the name of the person at the terminal. */
export async function withClient<Result>(use: (client: ProviderClient) => Promise<Result>): Promise<Result> {
  const client = (await ProviderClient.connect({ env: takeEnvironment() })).actingAs(requestedBy());
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

/** @throws ProviderError `TemporalUnavailable`; `SetupInvalid`, which names the setting */
export async function withTemporal<Result>(use: (temporal: Temporal) => Promise<Result>): Promise<Result> {
  const { Client, Connection } = await import('@temporalio/client');
  const { readDataConverter, readOperationsTaskQueue } = await import('../config/worker-config.js');
  const { readTemporalConfig } = await import('../config/temporal-config.js');
  const settings = new Settings(takeEnvironment());
  settings.refuseMisspelt();
  const { connection: options, namespace } = readTemporalConfig(settings);
  const operationsTaskQueue = readOperationsTaskQueue(settings);
  const dataConverter = readDataConverter(settings);
  settings.throwIfRefused();
  const connection = await Connection.connect(options).catch(() => {
    throw away(options.address);
  });
  try {
    const client = new Client({ connection, namespace, dataConverter });
    return await use({ client: await asOperator(client, settings), operationsTaskQueue });
  } catch (error) {
    throw toProviderError(error, options.address);
  } finally {
    await connection.close();
  }
}

/** Returns a client whose workflows carry an operator's grant. */
async function asOperator(client: Client, settings: Settings): Promise<Client> {
  if (settings.text('PROVIDER_GRANTS') === NO_GRANTS) {
    warnOfNoGrants();
    return client;
  }
  const { WorkspaceGrants } = await import('../client/workspace-grants.js');
  const { GrantSigner } = await import('../grants/grant-signer.js');
  const signer = new GrantSigner(settings.text('PROVIDER_GRANT_SIGNING_KEY') ?? '');
  return new WorkspaceGrants(client, signer).operatorClient(requestedBy());
}

function toProviderError(error: unknown, address: string): unknown {
  if (hasCode(error, AWAY)) return away(address);
  if (hasCode(error, REFUSED)) return misfit(`Temporal at ${address} rejects the API key`, 'TEMPORAL_API_KEY');
  const isLost = error instanceof Error && error.name === 'NamespaceNotFoundError';
  return isLost ? misfit(`Temporal at ${address} does not have the configured namespace`, 'TEMPORAL_NAMESPACE') : error;
}

function away(address: string): ProviderError {
  return new ProviderError('TemporalUnavailable', `Temporal does not answer at ${address}: check TEMPORAL_ADDRESS`);
}

function misfit(what: string, setting: string): ProviderError {
  return new ProviderError('SetupInvalid', `${what}: check ${setting}`, { fields: [setting] });
}

/** The longest actor that the database takes, in characters. */
const MAX_ACTOR_LENGTH = 200;

/** The actor for the audit: `cli:ana@ops-1`. It is not a proof of identity; the database login is. */
export function requestedBy(): string {
  return `cli:${userName()}@${hostname()}`.slice(0, MAX_ACTOR_LENGTH);
}

/** A container may run as a user that its machine does not know. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? 'unknown'}`;
  }
}

/** Temporal's client wraps gRPC's errors in its own. */
function hasCode(error: unknown, codes: readonly number[]): boolean {
  for (let link = error; link instanceof Error; link = link.cause) {
    if ('code' in link && typeof link.code === 'number' && codes.includes(link.code)) return true;
  }
  return false;
}
