/** A client of the environment's Temporal for the length of one command. Its library is loaded with the first of them. */
import type { Client } from '@temporalio/client';
import { ProviderError } from '../protocol/errors.js';
import { OPERATIONS_TASK_QUEUE } from '../protocol/rotation.js';
import { NO_GRANTS, warnOfNoGrants } from '../temporal/no-grants.js';
import { Settings } from '../temporal/settings.js';
import { takeEnvironment } from './process-hardening.js';
import { requestedBy } from './requested-by.js';

export interface Temporal {
  readonly client: Client;
  /** Where rotations and schedules are run. */
  readonly operationsTaskQueue: string;
}

/** gRPC's: the server went away, or does not answer in time; it does not know us, or does not let us. */
const AWAY: readonly number[] = [4, 14];
const REFUSED: readonly number[] = [7, 16];

/** @throws ProviderError `ProviderUnavailable` where Temporal is away, `ProviderConfigInvalid` naming the setting */
export async function withTemporal<Result>(use: (temporal: Temporal) => Promise<Result>): Promise<Result> {
  const { Client, Connection } = await import('@temporalio/client');
  const { readDataConverter } = await import('../temporal/data-converter.js');
  const { readTemporalConfig } = await import('../temporal/temporal-config.js');
  const settings = new Settings(takeEnvironment());
  const { connection: options, namespace } = readTemporalConfig(settings);
  const operationsTaskQueue = settings.text('PROVIDER_OPERATIONS_TASK_QUEUE', OPERATIONS_TASK_QUEUE);
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

/** What it starts carries an operator's grant. */
async function asOperator(client: Client, settings: Settings): Promise<Client> {
  if (settings.text('PROVIDER_GRANTS', '') === NO_GRANTS) {
    warnOfNoGrants();
    return client;
  }
  const { WorkspaceGrants } = await import('../client/workspace-grants.js');
  const { GrantSigner } = await import('../grants/grant-signer.js');
  const signer = new GrantSigner(settings.text('PROVIDER_GRANT_SIGNING_KEY', ''));
  return new WorkspaceGrants(client, signer).operatorClient(requestedBy());
}

function toProviderError(error: unknown, address: string): unknown {
  if (hasCode(error, AWAY)) return away(address);
  if (hasCode(error, REFUSED)) return misfit(`Temporal at ${address} refuses the credential`, 'TEMPORAL_API_KEY');
  const isLost = error instanceof Error && error.name === 'NamespaceNotFoundError';
  return isLost ? misfit(`Temporal at ${address} has no namespace of that name`, 'TEMPORAL_NAMESPACE') : error;
}

function away(address: string): ProviderError {
  return new ProviderError('ProviderUnavailable', `Temporal does not answer at ${address}: see TEMPORAL_ADDRESS`);
}

function misfit(what: string, setting: string): ProviderError {
  return new ProviderError('ProviderConfigInvalid', `${what}: see ${setting}`, { fields: [setting] });
}

/** Temporal's client wraps gRPC's errors in its own. */
function hasCode(error: unknown, codes: readonly number[]): boolean {
  for (let link = error; link instanceof Error; link = link.cause) {
    if ('code' in link && typeof link.code === 'number' && codes.includes(link.code)) return true;
  }
  return false;
}
