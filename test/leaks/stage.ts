/**
 * What a run of the leak test needs: a Postgres that logs every statement and compresses nothing, a Temporal on a file,
 * services that echo what they are shown, worker processes, and a secret of each kind, planted where it belongs.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { GrantSigner, WorkspaceGrants } from '../../src/client.js';
import { freePort } from '../../src/dev/ports.js';
import { type PostgresPart, startPostgres } from '../../src/dev/postgres.js';
import { startTemporal, type TemporalPart } from '../../src/dev/temporal.js';
import { ProviderClient } from '../../src/management.js';
import { parseLocalKeyring } from '../../src/sealing/local-keyring.js';
import type { RootKeyring } from '../../src/sealing/root-keyring.js';
import { createLogin } from '../../src/store/logins.js';
import { migrate } from '../../src/store/migrate.js';
import { withSession } from '../../src/store/session.js';
import { newGrantKeys } from '../../testbed/grant-keys.js';
import { LOOPBACK_ENV, LOOPBACK_POLICY } from '../../testbed/loopback.js';
import { type LlmStandIn, startLlmStandIn } from '../../testbed/standins/llm.js';
import { writeWorkflowBundle } from '../support/workflow-bundle.js';
import { Canaries } from './canaries.js';
import { type EchoService, startEchoService } from './echo-service.js';
import { Processes } from './processes.js';

/** Everything into the log, nothing out of the write-ahead log, and no page that hides what it holds. */
const TELLTALE = {
  log_statement: 'all',
  log_min_error_statement: 'error',
  log_min_messages: 'info',
  log_error_verbosity: 'verbose',
  log_parameter_max_length: -1,
  log_parameter_max_length_on_error: -1,
  log_connections: 'on',
  log_disconnections: 'on',
  full_page_writes: 'on',
  wal_compression: 'off',
  wal_level: 'logical',
  min_wal_size: '1GB',
  max_wal_size: '4GB',
  wal_keep_size: '2GB',
  checkpoint_timeout: '1h',
  autovacuum: 'off',
};

/** A value that is not compressed is found where it lies. */
const UNCOMPRESSED = `
  do $$
  declare
    one record;
  begin
    for one in
      select attrelid::regclass as relation, attname from pg_attribute join pg_class on pg_class.oid = attrelid
      where attstorage in ('x', 'm') and attnum > 0 and relkind = 'r' and not attisdropped
        and relnamespace in ('public'::regnamespace, 'provider_api'::regnamespace)
    loop
      execute format('alter table %s alter column %I set storage external', one.relation, one.attname);
    end loop;
  end $$`;

const WORKFLOWS_PATH = fileURLToPath(new URL('user-workflows.js', import.meta.url));

export interface Stage {
  readonly canaries: Canaries;
  readonly folder: string;
  readonly postgres: PostgresPart;
  readonly temporal: TemporalPart;
  readonly temporalFile: string;
  readonly client: Client;
  readonly signer: GrantSigner;
  /** Who starts agents. */
  readonly grants: WorkspaceGrants;
  readonly signingKey: string;
  readonly llm: LlmStandIn;
  readonly echo: EchoService;
  readonly processes: Processes;
  readonly manager: ProviderClient;
  readonly rootKeyring: RootKeyring;
  readonly managerUrl: string;
  readonly rootKey: string;
  readonly payloadKey: string;
  /** Settings as files' names, for whoever runs workflows, and for whoever manages providers. */
  readonly workerEnv: Readonly<Record<string, string>>;
  readonly managerEnv: Readonly<Record<string, string>>;
  /** The same in the clear. */
  readonly plainWorkerEnv: Readonly<Record<string, string>>;
  readonly workflowBundle: string;
  readonly metricsPort: number;
  /** A setting in a file of its own, outside of all that is searched. */
  settingsFile(name: string, content: string): Promise<string>;
  strike(): Promise<void>;
}

export const QUEUES = { user: 'user', victim: 'victim', agents: 'agents', encrypted: 'encrypted' } as const;

export async function setStage(folder: string): Promise<Stage> {
  const stops: (() => Promise<unknown>)[] = [];
  const strike = async () => {
    for (let next = stops.pop(); next; next = stops.pop()) await next();
  };
  try {
    const canaries = new Canaries();
    await mkdir(join(folder, 'settings'), { mode: 0o700 });
    const settingsFile = async (name: string, content: string) => {
      const path = join(folder, 'settings', name);
      await writeFile(path, `${content}\n`, { mode: 0o600 });
      return path;
    };
    const temporalFile = join(folder, 'temporal', 'temporal.db');
    await mkdir(join(folder, 'temporal'));
    const [postgres, temporal, workflowBundle, metricsPort] = await Promise.all([
      startPostgres({ dataFolder: join(folder, 'postgres'), settings: TELLTALE }),
      startTemporal({ dbFile: temporalFile }),
      writeWorkflowBundle(WORKFLOWS_PATH, join(folder, 'user-workflows.js')),
      freePort(),
    ]);
    stops.push(postgres.stop, temporal.stop);
    await migrate(postgres.url);
    await withSession(postgres.url, (session) => session.query(UNCOMPRESSED));
    const resolverUrl = await createLogin(postgres.url, 'provider_resolver');
    const managerUrl = await createLogin(postgres.url, 'provider_manager');
    canaries.known("a worker's database password", new URL(resolverUrl).password);
    canaries.known("a manager's database password", new URL(managerUrl).password);
    const rootKey = `root-1:${canaries.keyInBase64('a root key')}`;
    const payloadKey = `payload-1:${canaries.keyInBase64('a payload key')}`;
    const echo = await startEchoService();
    stops.push(echo.stop);
    // A model that says whatever it was shown: the owner of a key is the key itself.
    const llm = await startLlmStandIn({ keys: [], answer: ({ owner, wantsJson }) => (wantsJson ? '{}' : owner) });
    stops.push(llm.stop);
    const connection = await Connection.connect({ address: temporal.address });
    stops.push(() => connection.close());
    const rootKeyring = parseLocalKeyring(rootKey);
    const manager = ProviderClient.open({
      database: { databaseUrl: managerUrl },
      rootKeyring,
      egress: LOOPBACK_POLICY,
    });
    stops.push(() => manager.close());
    const processes = new Processes(join(folder, 'processes'));
    stops.push(() => processes.end());
    const { signingKey, signingSecret, workerEnv } = await newGrantKeys();
    canaries.known('the key that signs grants', signingSecret);
    const client = new Client({ connection });
    const signer = new GrantSigner(await settingsFile('grant-signing-key', signingKey));
    const common = {
      ...{ ...LOOPBACK_ENV, ...workerEnv, TEMPORAL_ADDRESS: temporal.address },
      ...{ PROVIDER_CACHE_LEASE: '1s', PROVIDER_LONGEST_STEP: '5s' },
    };
    const files = { ENCRYPTION_KEY_FILE: await settingsFile('root-key', rootKey) };
    return {
      ...{ canaries, folder, postgres, temporal, temporalFile, llm, echo, processes, manager, rootKeyring, rootKey },
      ...{ managerUrl, payloadKey, workflowBundle, metricsPort, settingsFile, strike },
      ...{ client, signer, signingKey, grants: new WorkspaceGrants(client, signer) },
      workerEnv: { ...common, ...files, DATABASE_URL_FILE: await settingsFile('resolver-url', resolverUrl) },
      managerEnv: {
        ...LOOPBACK_ENV,
        TEMPORAL_ADDRESS: temporal.address,
        PROVIDER_GRANT_SIGNING_KEY_FILE: await settingsFile('operators-key', signingKey),
        ...files,
        DATABASE_URL_FILE: await settingsFile('manager-url', managerUrl),
      },
      plainWorkerEnv: { ...common, ENCRYPTION_KEY: rootKey, DATABASE_URL: resolverUrl },
    };
  } catch (error) {
    await strike();
    throw error;
  }
}
