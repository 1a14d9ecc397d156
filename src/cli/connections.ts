/** The clients of a command: for the Postgres and the Temporal of its environment, closed when the command ends. */
import { hostname, userInfo } from 'node:os';
import type { Client, ConnectionOptions } from '@temporalio/client';
import { takeEnvironment } from '../config/process-hardening.js';
import { readTypes } from '../config/provider-types-module.js';
import { Settings } from '../config/settings.js';
import type { GrantSigner } from '../grants/grant-signer.js';
import { NO_GRANTS, warnOfNoGrants } from '../grants/policy.js';
import { ProviderClient } from '../management/provider-client.js';
import type { ProviderTypes } from '../providers/provider-types.js';

/** The provider types of the command's environment. @throws ProviderError `SetupInvalid` */
export function commandTypes(): ProviderTypes {
  const settings = new Settings(takeEnvironment());
  const types = readTypes(settings);
  settings.throwIfRefused();
  return types;
}

export interface Temporal {
  readonly client: Client;
  /** The task queue on which rotations and schedules run. */
  readonly operationsTaskQueue: string;
}

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
export function withTemporal<Result>(use: (temporal: Temporal) => Promise<Result>): Promise<Result> {
  return connectTemporal(use, operatorSigner);
}

/** A command that only reads is given up sooner, and signs nothing. Throws as {@link withTemporal} does. */
export function withTemporalToRead<Result>(use: (temporal: Temporal) => Promise<Result>): Promise<Result> {
  return connectTemporal(use, async () => undefined, { connectTimeout: '2s' });
}

async function connectTemporal<Result>(
  use: (temporal: Temporal) => Promise<Result>,
  signerOf: (settings: Settings) => Promise<GrantSigner | undefined>,
  limits: Pick<ConnectionOptions, 'connectTimeout'> = {},
): Promise<Result> {
  const { Client, Connection } = await import('@temporalio/client');
  const { readClientDataConverter, readOperationsTaskQueue } = await import('../config/worker-config.js');
  const { readTemporalConfig } = await import('../config/temporal-config.js');
  const { connectionError, temporalError } = await import('../config/temporal-errors.js');
  const settings = new Settings(takeEnvironment());
  settings.refuseMisspelt();
  const { connection: options, namespace } = readTemporalConfig(settings);
  const operationsTaskQueue = readOperationsTaskQueue(settings);
  const dataConverter = readClientDataConverter(settings);
  const signer = await signerOf(settings);
  settings.throwIfRefused();
  const connection = await Connection.connect({ ...options, ...limits }).catch(async (error: unknown) => {
    throw await connectionError(error, options);
  });
  try {
    const client = new Client({ connection, namespace, dataConverter });
    return await use({ client: signer ? await asOperator(client, signer) : client, operationsTaskQueue });
  } catch (error) {
    throw (await temporalError(error, options)) ?? error;
  } finally {
    await connection.close();
  }
}

/** `undefined` if grants are switched off. */
async function operatorSigner(settings: Settings): Promise<GrantSigner | undefined> {
  if (settings.text('PROVIDER_GRANTS') === NO_GRANTS) {
    warnOfNoGrants();
    return undefined;
  }
  const { GrantSigner } = await import('../grants/grant-signer.js');
  return settings.parsed('PROVIDER_GRANT_SIGNING_KEY', (key) => new GrantSigner(key));
}

/** Returns a client whose workflows carry an operator's grant. */
async function asOperator(client: Client, signer: GrantSigner): Promise<Client> {
  const { WorkspaceGrants } = await import('../client/workspace-grants.js');
  return new WorkspaceGrants(client, signer).operatorClient(requestedBy());
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
