/**
 * What the demo, the long runs and the tests all need around their workers: keys of each kind, clients that start
 * workflows and manage providers, and settings for processes. Each of them starts its own servers, services and workers.
 */
import { randomBytes } from 'node:crypto';
import { Client, Connection, type WorkflowClientInterceptor } from '@temporalio/client';
import { RotationClient } from '../src/client/rotation-client.js';
import { GrantSigner, WorkspaceGrants } from '../src/client.js';
import { readManagerConfig } from '../src/config/manager-config.js';
import { ProviderClient } from '../src/management.js';
import type { OwnTypes } from '../src/providers/credentials.js';
import { newGrantKeys, type TestGrantKeys } from './grant-keys.js';
import { LOOPBACK_ENV } from './loopback.js';
import type { StageDatabase } from './stage-database.js';
import type { Teardown } from './teardown.js';

export interface StageOptions {
  readonly database: StageDatabase;
  readonly temporalAddress: string;
  /** Default: `default`. */
  readonly namespace?: string;
  /** The 32 bytes of the root key, in base64. Default: random. */
  readonly rootKey?: string;
  /** The name that rotations are requested by. */
  readonly operator: string;
  /** The task queue of rotations. Default: the package's own. */
  readonly operationsTaskQueue?: string;
  /** Provider types beside those of the package. Default: none. */
  readonly types?: OwnTypes;
  /** What sees the calls of clients. Default: nothing. */
  readonly clientInterceptors?: readonly WorkflowClientInterceptor[];
  readonly teardown: Teardown;
}

export interface Stage {
  readonly database: StageDatabase;
  readonly temporalAddress: string;
  readonly encryptionKey: string;
  readonly grantKeys: TestGrantKeys;
  /** A client whose workflows carry no grant. */
  readonly client: Client;
  readonly grants: WorkspaceGrants;
  /** A client whose workflows may change providers. */
  readonly operator: Client;
  readonly manager: ProviderClient;
  readonly rotations: RotationClient;
  /** Every plaintext secret of this stage: none may be in a history, a log or a table. */
  readonly secrets: string[];
  /** The settings of a worker. */
  readonly workerEnv: Readonly<Record<string, string>>;
  /** The settings of a program that manages providers and starts rotations. */
  readonly managerEnv: Readonly<Record<string, string>>;
  /** Opens another client, which seals with another root key: `id:base64`. */
  managerWith(encryptionKey: string): ProviderClient;
}

export async function openStage(options: StageOptions): Promise<Stage> {
  const {
    database,
    temporalAddress,
    namespace = 'default',
    operator: name,
    operationsTaskQueue,
    types,
    clientInterceptors = [],
    teardown,
  } = options;
  const rootKey = options.rootKey ?? randomBytes(32).toString('base64');
  const encryptionKey = `stage:${rootKey}`;
  const common = {
    ...LOOPBACK_ENV,
    ...database.settings,
    ENCRYPTION_KEY: encryptionKey,
    TEMPORAL_ADDRESS: temporalAddress,
    TEMPORAL_NAMESPACE: namespace,
    ...(operationsTaskQueue && { PROVIDER_OPERATIONS_TASK_QUEUE: operationsTaskQueue }),
  };
  const grantKeys = await newGrantKeys();
  const workerEnv = { ...common, ...grantKeys.workerEnv, DATABASE_URL: database.resolverUrl };
  const managerEnv = { ...common, ...grantKeys.starterEnv, DATABASE_URL: database.managerUrl };
  const managerWith = (otherKey: string) => {
    const config = readManagerConfig({ env: { ...managerEnv, ENCRYPTION_KEY: otherKey }, types });
    const client = ProviderClient.open({ ...config, database: { ...config.database, ...database.store } });
    teardown.defer(() => client.close());
    return client;
  };
  const manager = managerWith(encryptionKey);
  // Connects at its first use.
  const connection = Connection.lazy({ address: temporalAddress });
  teardown.defer(() => connection.close());
  const client = new Client({ connection, namespace, interceptors: { workflow: [...clientInterceptors] } });
  const grants = new WorkspaceGrants(client, new GrantSigner(grantKeys.signingKey));
  const operator = grants.operatorClient(name);
  const passwords = [database.resolverUrl, database.managerUrl].map((url) => new URL(url).password);
  return {
    ...{ database, temporalAddress, encryptionKey, grantKeys, client, grants, operator, manager, managerWith },
    ...{ workerEnv, managerEnv, secrets: [rootKey, grantKeys.signingSecret, ...passwords] },
    rotations: new RotationClient(manager.actingAs(name), operator, operationsTaskQueue),
  };
}
