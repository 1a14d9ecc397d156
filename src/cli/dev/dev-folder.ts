/**
 * The folder of `dev`: the files of its set-up, the data if it is kept, and a record of the run. The record lets the
 * next run clean up after one that was killed, and keeps two runs apart. It is checked before it is believed, because
 * it names what is ended and removed: a folder may come from anywhere.
 */
import { rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { StartedServer } from '../../dev/parts.js';
import { endProcess, isRunning, markOf, type ProcessMark } from '../../dev/process-marks.js';
import { dropLogins } from '../../store/logins.js';
import { folderRefused, PrivateFolder } from '../setup/private-folder.js';
import { PART_NAMES, PARTS } from '../setup/setup-files.js';

const RECORD_FILE = 'run.json';

const MARK = { pid: z.int().positive(), startedAt: z.string().min(1) };
const RECORD = z.strictObject({
  /** The process that uses the folder. */
  owner: z.strictObject(MARK).optional(),
  keepsData: z.boolean(),
  servers: z.array(
    z.strictObject({
      ...MARK,
      stopSignal: z.enum(['SIGINT', 'SIGTERM']),
      scratchFolder: z.string().regex(/^(?!.*\/\.\.\/)\/.*\/workspace-providers-(postgres|temporal)-\w{6}$/),
    }),
  ),
  /** Logins to drop, and the database that they are for. */
  logins: z.array(
    z.strictObject({ name: z.string().regex(/^dev_[0-9a-f]{12}_(worker|manager)$/), database: z.string() }),
  ),
});

type RunRecord = z.infer<typeof RECORD>;

const EMPTY: RunRecord = { keepsData: false, servers: [], logins: [] };

export interface DevFolderOptions {
  readonly path: string;
  /** Whether the data and the set-up stay when the run ends. */
  readonly keepsData: boolean;
  /** A database of one's own, in which an earlier run may have left logins. */
  readonly adminUrl: string | undefined;
  readonly note: (text: string) => void;
}

export class DevFolder {
  readonly #options: DevFolderOptions;
  #record: RunRecord;

  private constructor(
    readonly files: PrivateFolder,
    options: DevFolderOptions,
    record: RunRecord,
  ) {
    this.#options = options;
    this.#record = record;
  }

  /**
   * Takes the folder for this process, and cleans up what a killed run left.
   *
   * @throws ProviderError `SetupInvalid` if another run uses the folder, or if it has something that is not to be lost
   */
  static async claim(options: DevFolderOptions): Promise<DevFolder> {
    const { path, keepsData } = options;
    const files = new PrivateFolder(path);
    const earlier = await readRecord(files);
    if (!earlier && (await hasSetup(files)))
      throw folderRefused(`${path} has the files of a set-up that dev did not make: give dev another --folder`);
    if (earlier?.owner && (await isRunning(earlier.owner))) {
      const { pid } = earlier.owner;
      throw folderRefused(`dev already runs in ${path}, as process ${pid}: stop it, or give another --folder`);
    }
    if (earlier?.keepsData && !keepsData) {
      const ways = 'add --keep to use it, give another --folder, or delete this one to start afresh';
      throw folderRefused(`${path} has the data that an earlier run of dev kept: ${ways}`);
    }
    // The Postgres of a developer who is root runs as another user, who must be able to enter the folder.
    await files.prepare(process.getuid?.() === 0 ? 0o711 : 0o700);
    if (earlier) await cleanUp(files, earlier);
    const logins = await withoutLeftLogins(earlier?.logins ?? [], options);
    const owner = (await markOf(process.pid)) as ProcessMark;
    const record = { ...EMPTY, owner, keepsData, logins };
    if (!(await files.create(RECORD_FILE, JSON.stringify(record)))) {
      throw folderRefused(`another dev has just started in ${path}: stop it, or give another --folder`);
    }
    return new DevFolder(files, options, record);
  }

  /** Where the servers keep their data; `undefined` if it is not kept. */
  get dataFolder(): string | undefined {
    return this.#options.keepsData ? join(this.files.path, 'data') : undefined;
  }

  async rememberServers(servers: readonly StartedServer[]): Promise<void> {
    const marked = servers.map(async ({ pid, stopSignal, scratchFolder }) => {
      return { ...((await markOf(pid)) ?? { pid, startedAt: 'ended' }), stopSignal, scratchFolder };
    });
    await this.#update({ servers: await Promise.all(marked) });
  }

  /** Remembers logins before they are created, so that they are dropped at the end, or by the next run. */
  async rememberLogins(names: readonly string[]): Promise<void> {
    const database = databaseOf(this.#options.adminUrl ?? '');
    await this.#update({ logins: [...this.#record.logins, ...names.map((name) => ({ name, database }))] });
  }

  /** Drops the logins of this run. Its servers must be running. */
  async dropLogins(): Promise<void> {
    await this.#update({ logins: await withoutLeftLogins(this.#record.logins, this.#options) });
  }

  /** Removes what is not kept. Its servers must have been stopped. */
  async release(): Promise<void> {
    const { keepsData, logins } = this.#record;
    if (!keepsData) await removeSetup(this.files);
    if (keepsData || logins.length > 0) {
      await this.files.replace(RECORD_FILE, JSON.stringify({ ...EMPTY, keepsData, logins }));
      return;
    }
    for (const name of [RECORD_FILE, '.gitignore']) await rm(join(this.files.path, name), { force: true });
    await rmdir(this.files.path).catch(() => {}); // somebody else has put something into it
  }

  async #update(changes: Partial<RunRecord>): Promise<void> {
    this.#record = { ...this.#record, ...changes };
    await this.files.replace(RECORD_FILE, JSON.stringify(this.#record));
  }
}

async function cleanUp(files: PrivateFolder, { keepsData, servers }: RunRecord): Promise<void> {
  await Promise.all(servers.map((server) => endProcess(server, server.stopSignal)));
  for (const { scratchFolder } of servers) await rm(scratchFolder, { recursive: true, force: true });
  if (!keepsData) await removeSetup(files);
  await rm(join(files.path, RECORD_FILE), { force: true });
}

/** Drops the logins of this database, and returns those of others. */
async function withoutLeftLogins(
  logins: RunRecord['logins'],
  { adminUrl, note }: Pick<DevFolderOptions, 'adminUrl' | 'note'>,
): Promise<RunRecord['logins']> {
  if (logins.length === 0) return [];
  const here = adminUrl === undefined ? undefined : databaseOf(adminUrl);
  const ours = logins.filter(({ database }) => database === here).map(({ name }) => name);
  if (adminUrl !== undefined && ours.length > 0) await dropLogins(adminUrl, ours);
  const others = logins.filter(({ database }) => database !== here);
  for (const { name, database } of others)
    note(
      `note: an earlier run left the login ${name} at ${database}: drop it, or run dev with that database once more`,
    );
  return others;
}

async function readRecord(files: PrivateFolder): Promise<RunRecord | undefined> {
  const content = await files.read(RECORD_FILE);
  if (content === undefined) return undefined;
  try {
    return RECORD.parse(JSON.parse(content));
  } catch {
    throw folderRefused(`${join(files.path, RECORD_FILE)} is not a record of dev: give another --folder`);
  }
}

async function hasSetup(files: PrivateFolder): Promise<boolean> {
  const contents = await Promise.all(PART_NAMES.map((part) => files.read(PARTS[part].file)));
  return contents.some((content) => content !== undefined);
}

async function removeSetup(files: PrivateFolder): Promise<void> {
  for (const part of PART_NAMES) await rm(join(files.path, PARTS[part].file), { force: true });
}

/** `host:port/database`, without the login. */
function databaseOf(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}
