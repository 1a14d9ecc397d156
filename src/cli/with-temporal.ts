/** A client of the environment's Temporal for the length of one command. Its library is loaded with the first of them. */
import type { Client } from '@temporalio/client';
import { ProviderError } from '../protocol/errors.js';
import { OPERATIONS_TASK_QUEUE } from '../protocol/rotation.js';
import { Settings } from '../temporal/settings.js';

export interface Temporal {
  readonly client: Client;
  /** Where rotations and schedules are run. */
  readonly operationsTaskQueue: string;
}

/** gRPC's: the server went away, or does not answer in time. */
const AWAY: readonly number[] = [4, 14];

/** @throws ProviderError `ProviderUnavailable` where Temporal is away, `ProviderConfigInvalid` naming settings */
export async function withTemporal<Result>(use: (temporal: Temporal) => Promise<Result>): Promise<Result> {
  const { Client, Connection } = await import('@temporalio/client');
  const { readTemporalConfig } = await import('../temporal/temporal-config.js');
  const settings = new Settings(process.env);
  const { connection: options, namespace } = readTemporalConfig(settings);
  const operationsTaskQueue = settings.text('PROVIDER_OPERATIONS_TASK_QUEUE', OPERATIONS_TASK_QUEUE);
  settings.throwIfRefused();
  const away = () => {
    const message = `Temporal does not answer at ${options.address}: see TEMPORAL_ADDRESS`;
    return new ProviderError('ProviderUnavailable', message);
  };
  const connection = await Connection.connect(options).catch(() => {
    throw away();
  });
  try {
    return await use({ client: new Client({ connection, namespace }), operationsTaskQueue });
  } catch (error) {
    throw isAway(error) ? away() : error;
  } finally {
    await connection.close();
  }
}

/** Temporal's client wraps gRPC's errors in its own. */
function isAway(error: unknown): boolean {
  for (let link = error; link instanceof Error; link = link.cause) {
    if ('code' in link && typeof link.code === 'number' && AWAY.includes(link.code)) return true;
  }
  return false;
}
