/** What npm installs for each kind of program, with the packages that it needs beside ours. */
import { execFile } from 'node:child_process';
import { lstat, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const exec = promisify(execFile);
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SDK = ['worker', 'client', 'workflow', 'activity', 'common'].map((name) => `@temporalio/${name}`);
const STARTER = ['@temporalio/client', '@temporalio/common'];

/** [the program, what it installs, whether it installs our package] */
const PROGRAMS = /** @type {const} */ ([
  ["Temporal's SDK for a worker", SDK, false],
  ['worker', SDK, true],
  ['worker with llmStep (AI SDK 6) and rpcStep', [...SDK, 'ai@6', '@ai-sdk/anthropic@3', 'viem'], true],
  ["Temporal's client", STARTER, false],
  ['starter: signs grants', STARTER, true],
  ['manager: only Postgres', [], true],
]);

/** @returns {Promise<import('./report.js').Part[]>} */
export async function benchInstall() {
  const packed = await mkdtemp(join(tmpdir(), 'workspace-providers-bench-'));
  try {
    await exec('npm', ['pack', '--ignore-scripts', '--pack-destination', packed], { cwd: ROOT });
    const [tarball] = await readdir(packed);
    const results = [];
    for (const [name, packages, withOurs] of PROGRAMS) {
      results.push(await install(name, [...packages, ...(withOurs ? [join(packed, tarball)] : [])]));
    }
    return [{ title: 'an installation with npm, in a new project', unit: 'ms', results }];
  } finally {
    await rm(packed, { recursive: true });
  }
}

async function install(/** @type {string} */ name, /** @type {readonly string[]} */ packages) {
  const folder = await mkdtemp(join(tmpdir(), 'workspace-providers-bench-'));
  try {
    await writeFile(join(folder, 'package.json'), '{ "private": true }');
    const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
    const start = process.hrtime.bigint();
    await exec('npm', ['install', ...options, ...packages], { cwd: folder });
    const ns = Number(process.hrtime.bigint() - start);
    const list = await exec('npm', ['ls', '--all', '--parseable'], { cwd: folder });
    const counts = {
      MB: (await bytesIn(join(folder, 'node_modules'))) / 1e6,
      packages: list.stdout.trim().split('\n').length - 1,
      undici: (await exec('npm', ['ls', 'undici', '--parseable'], { cwd: folder }).catch(() => ({ stdout: '' }))).stdout
        .split('\n')
        .filter((path) => path.endsWith('undici')).length,
    };
    return { name, p50: ns, p99: ns, counts, rounds: [{ samples: 1, min: ns, p50: ns, p99: ns, max: ns }] };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Blocks on disk, as `du` counts them. */
async function bytesIn(/** @type {string} */ folder) {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    bytes += (await lstat(join(entry.parentPath, entry.name))).blocks * 512;
  }
  return bytes;
}
