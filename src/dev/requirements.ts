/**
 * What the embedded parts need, checked before anything is downloaded or started, so that a developer learns of all
 * that is missing at once.
 */
import { access, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { cacheFolder } from './cache-folder.js';
import { canReach, installedBinaries, postgresUser } from './postgres-binaries.js';
import { PartUnavailable, requirePosix } from './processes.js';
import { temporalCliOutlook } from './temporal-cli.js';

const MEGABYTE = 1_000_000;
/** An empty cluster with its log, and a copy of the binaries if those in node_modules do not run. */
const POSTGRES_BYTES = 300 * MEGABYTE;
/** The download, and the program in it. */
const CLI_BYTES = 250 * MEGABYTE;

export interface Requirements {
  /** The parts that are to be started here. */
  readonly postgres: boolean;
  readonly temporal: boolean;
  /** The folder for the data of Postgres. Default: a temporary one. */
  readonly dataFolder?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** How to do without a part, for messages. */
  readonly instead?: PartsInstead | undefined;
}

/** `set TEMPORAL_ADDRESS to a running server` */
export interface PartsInstead {
  readonly postgres: string;
  readonly temporal: string;
}

/** @throws PartUnavailable with everything that is missing, and what to do */
export async function requireAll({ postgres, temporal, dataFolder, env, instead }: Requirements): Promise<void> {
  if (postgres || temporal) requirePosix();
  const needs: readonly (readonly [Promise<string | undefined>, string | undefined])[] = [
    ...(postgres
      ? [[postgresProblem(), instead?.postgres] as const, [folderProblem(dataFolder), undefined] as const]
      : []),
    ...(temporal ? [[temporalCliOutlook(env).then(({ problem }) => problem), instead?.temporal] as const] : []),
    [spaceProblem({ postgres, temporal, dataFolder, env }), undefined],
  ];
  const problems = await Promise.all(
    needs.map(async ([finding, way]) => {
      const problem = await finding;
      return problem && (way ? `${problem} Or ${way}.` : problem);
    }),
  );
  const found = problems.filter((problem) => problem !== undefined);
  if (found.length > 0) throw new PartUnavailable(found.join('\n'));
}

async function postgresProblem(): Promise<string | undefined> {
  try {
    installedBinaries();
    await postgresUser();
    return undefined;
  } catch (error) {
    if (error instanceof PartUnavailable) return `${error.message}.`;
    throw error;
  }
}

/** Whether the user that Postgres runs as can enter the folder, or the one in which it will be made. */
async function folderProblem(dataFolder: string | undefined): Promise<string | undefined> {
  if (dataFolder === undefined) return undefined;
  const user = await postgresUser().catch(() => undefined);
  const folder = await existing(dataFolder);
  if (!user || (await canReach(user, folder))) return undefined;
  return (
    `the user ${user.name} cannot enter ${folder}: Postgres runs as ${user.name}, because it does not run as root. ` +
    'Choose a folder that this user can enter, or let others enter the folders above it (chmod o+x).'
  );
}

async function spaceProblem({ postgres, temporal, dataFolder, env }: Requirements): Promise<string | undefined> {
  const cache = temporal && (await temporalCliOutlook(env)).isDownloaded ? await cacheFolder(env) : undefined;
  const needed: readonly (readonly [folder: string | undefined, bytes: number])[] = [
    [postgres ? await existing(dataFolder ?? tmpdir()) : undefined, POSTGRES_BYTES],
    [cache, CLI_BYTES],
  ];
  const problems: string[] = [];
  for (const [folder, bytes] of needed) {
    if (folder === undefined) continue;
    const free = await statfs(folder).then(
      ({ bavail, bsize }) => bavail * bsize,
      () => Number.POSITIVE_INFINITY,
    );
    if (free < bytes) {
      const [has, needs] = [free, bytes].map((count) => Math.floor(count / MEGABYTE));
      problems.push(`${folder} has ${has} MB of free space, and ${needs} MB are needed: free some.`);
    }
  }
  return problems.length > 0 ? problems.join('\n') : undefined;
}

/** The folder, or the nearest one above it that exists. */
async function existing(path: string): Promise<string> {
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    const exists = await access(folder).then(
      () => true,
      () => false,
    );
    if (exists || folder === dirname(folder)) return folder;
  }
}
