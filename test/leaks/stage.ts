/**
 * What a run of the leak test needs: a Postgres that logs every statement and compresses nothing, a Temporal on a file,
 * services that echo what they are shown, worker processes, and a secret of each kind, planted where it belongs.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GrantSigner } from '../../src/client.js';
import { freePort } from '../../src/dev/ports.js';
import { type PostgresPart, startPostgres } from '../../src/dev/postgres.js';
import { startTemporal, type TemporalPart } from '../../src/dev/temporal.js';
import { parseLocalKeyring } from '../../src/sealing/local-keyring.js';
import type { RootKeyring } from '../../src/sealing/root-keyring.js';
import { withSession } from '../../src/store/session.js';
import { openStage, type Stage as SharedStage } from '../../testbed/stage.js';
import { migratedDatabase } from '../../testbed/stage-database.js';
import { type LlmStandIn, startLlmStandIn } from '../../testbed/standins/llm.js';
import type { Teardown } from '../../testbed/teardown.js';
import { writeWorkflowBundle } from '../support/workflow-bundle.js';
import { Canaries } from './canaries.js';
import { PATHS, type PathControls } from './echo-answers.js';
import { type EchoService, startEchoService } from './echo-service.js';
import { Processes } from './processes.js';

/** Everything is logged, the write-ahead log keeps everything, and nothing is compressed. */
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

/** The search does not decompress the values of columns. */
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

export const QUEUES = { user: 'user', victim: 'victim', agents: 'agents', encrypted: 'encrypted' } as const;

type Env = Readonly<Record<string, string>>;

export interface Stage extends SharedStage {
  readonly canaries: Canaries;
  readonly folder: string;
  readonly postgres: PostgresPart;
  readonly temporal: TemporalPart;
  readonly temporalFile: string;
  /** Reads its key from a file. */
  readonly signer: GrantSigner;
  readonly llm: LlmStandIn;
  readonly echo: EchoService;
  readonly processes: Processes;
  readonly rootKeyring: RootKeyring;
  readonly payloadKey: string;
  /** The settings of workers, and of programs that manage providers. Secrets are in files. */
  readonly workerEnv: Env;
  readonly managerEnv: Env;
  /** The settings of workers, with the secrets themselves. */
  readonly plainWorkerEnv: Env;
  readonly workflowBundle: string;
  /** Where Temporal's core, the user's worker and a packaged worker serve metrics. */
  readonly ports: Readonly<Record<'core' | 'userPage' | 'agentsPage', number>>;
  /** Writes a setting into a file that is not searched, and returns its path. */
  settingsFile(name: string, content: string): Promise<string>;
}

export async function leakStage(folder: string, teardown: Teardown): Promise<Stage> {
  const canaries = new Canaries();
  await mkdir(join(folder, 'settings'), { mode: 0o700 });
  const settingsFile = async (name: string, content: string) => {
    const path = join(folder, 'settings', name);
    await writeFile(path, `${content}\n`, { mode: 0o600 });
    return path;
  };
  const temporalFile = join(folder, 'temporal', 'temporal.db');
  await mkdir(join(folder, 'temporal'));
  const [postgres, temporal, workflowBundle, core, userPage, agentsPage] = await Promise.all([
    teardown.use(startPostgres({ dataFolder: join(folder, 'postgres'), settings: TELLTALE })),
    teardown.use(startTemporal({ dbFile: temporalFile })),
    writeWorkflowBundle(WORKFLOWS_PATH, join(folder, 'user-workflows.js')),
    freePort(),
    freePort(),
    freePort(),
  ]);
  const database = await migratedDatabase(postgres.url);
  await withSession(postgres.url, (session) => session.query(UNCOMPRESSED));
  const controls = Object.entries(PATHS).map(([name, path]) => [name, canaries.control(path)] as const);
  const echo = await teardown.use(startEchoService(Object.fromEntries(controls) as PathControls));
  // The model repeats what it was shown: the owner of a key is the key itself.
  const answer = ({ owner, wantsJson }: { owner: string; wantsJson: boolean }) => (wantsJson ? '{}' : owner);
  const llm = await teardown.use(startLlmStandIn({ keys: [], answer }));
  const processes = new Processes(join(folder, 'processes'));
  teardown.defer(() => processes.end());
  const rootKey = canaries.keyInBase64('a root key');
  const shared = { database, temporalAddress: temporal.address, operator: 'leaks', teardown };
  const stage = await openStage({ ...shared, rootKey });
  canaries.known("a worker's database password", new URL(database.resolverUrl).password);
  canaries.known("a manager's database password", new URL(database.managerUrl).password);
  canaries.known('the key that signs grants', stage.grantKeys.signingSecret);
  /** Replaces the secrets among the settings by the names of files that hold them. */
  const inFiles = async (owner: string, { ...env }: Record<string, string>): Promise<Env> => {
    for (const name of ['ENCRYPTION_KEY', 'DATABASE_URL', 'PROVIDER_GRANT_SIGNING_KEY']) {
      const secret = env[name];
      if (secret === undefined) continue;
      env[`${name}_FILE`] = await settingsFile(`${owner}-${name}`, secret);
      delete env[name];
    }
    return env;
  };
  const plainWorkerEnv = { ...stage.workerEnv, PROVIDER_CACHE_LEASE: '1s', PROVIDER_LONGEST_STEP: '5s' };
  return {
    ...{ ...stage, canaries, folder, postgres, temporal, temporalFile, llm, echo, processes, workflowBundle },
    ...{
      ports: { core, userPage, agentsPage },
      settingsFile,
      plainWorkerEnv,
      rootKeyring: parseLocalKeyring(stage.encryptionKey),
    },
    payloadKey: `payload-1:${canaries.keyInBase64('a payload key')}`,
    signer: new GrantSigner(await settingsFile('grant-signing-key', stage.grantKeys.signingKey)),
    workerEnv: await inFiles('worker', plainWorkerEnv),
    managerEnv: await inFiles('manager', stage.managerEnv),
  };
}
