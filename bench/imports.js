/** How long each entry of the package takes to import in a new process, and its memory, beside those of Temporal's SDK. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { inRounds } from './rounds.js';

const exec = promisify(execFile);
const ROOT = new URL('..', import.meta.url);

/** [what is imported, the package of the SDK that is its floor] */
const ENTRIES = [
  ['@temporalio/worker'],
  ['workspace-providers', '@temporalio/worker'],
  ['@temporalio/client'],
  ['workspace-providers/client', '@temporalio/client'],
  ['pg'],
  ['workspace-providers/management', 'pg'],
  ['@temporalio/workflow'],
  ['workspace-providers/workflow', '@temporalio/workflow'],
];

const PROGRAM = (/** @type {string} */ name) => `
  const memory = process.memoryUsage().rss, start = process.hrtime.bigint();
  await import('${name}');
  const ns = Number(process.hrtime.bigint() - start);
  console.log(JSON.stringify({ ns, rss: process.memoryUsage().rss - memory }));`;

/** @param {{ rounds: number }} settings @returns {Promise<import('./report.js').Part[]>} */
export async function benchImports({ rounds }) {
  /** @type {Map<string, number[]>} */
  const memory = new Map(ENTRIES.map(([name]) => [name, []]));
  const results = await inRounds(
    ENTRIES.map(([name, floor]) => ({ name, floor })),
    rounds,
    async ({ name }) => {
      const args = ['--input-type=module', '-e', PROGRAM(name)];
      const { ns, rss } = JSON.parse((await exec(process.execPath, args, { cwd: ROOT })).stdout);
      memory.get(name)?.push(rss / 2 ** 20);
      return { samples: 1, min: ns, p50: ns, p99: ns, max: ns };
    },
  );
  for (const result of results) {
    const sorted = [...(memory.get(result.name) ?? [])].sort((a, b) => a - b);
    result.counts = { MiB: sorted[Math.floor(sorted.length / 2)] };
  }
  return [{ title: 'the import of an entry in a new process, and its memory', unit: 'ms', results }];
}
