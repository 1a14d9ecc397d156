/**
 * Warm resolves: the cache holds the workspace, its lease runs, its credential is open. Each contender has its own
 * thread, so that no other contender has changed its heap, or the compiled code of a library that two of them use.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { inRounds } from './rounds.js';
import { AWAITED, FLOOR, OURS, SYNCHRONOUS } from './warm-contenders.js';
import { createWorkspaceIds } from './workspaces.js';

const AIM = 1.5;
const HOT = 100;

/**
 * @param {{ rounds: number, turnMs: number, workspaces: number }} settings
 * @returns {Promise<import('./report.js').Part[]>}
 */
export async function benchWarm({ rounds, turnMs, workspaces }) {
  const workspaceIds = createWorkspaceIds(workspaces);
  /** @type {import('./report.js').Part[]} */
  const parts = [];
  for (const [how, names] of Object.entries({ synchronous: SYNCHRONOUS, awaited: AWAITED })) {
    const contenders = [];
    try {
      for (const name of Object.keys(names)) contenders.push(await startContender(how, name, workspaceIds));
      for (const [which, among] of /** @type {const} */ ([
        [`${HOT} hot of ${workspaces} workspaces`, HOT],
        [`random over ${workspaces} workspaces`, workspaces],
      ])) {
        const results = await inRounds(contenders, rounds, ({ takeTurn }) => takeTurn({ among, turnMs }));
        parts.push({ title: `warm resolve, ${how}, ${which}`, unit: 'ns', results });
      }
    } finally {
      await Promise.all(contenders.map(({ stop }) => stop()));
    }
  }
  return parts;
}

async function startContender(how, name, workspaceIds) {
  const thread = new Worker(new URL('warm-thread.js', import.meta.url), { workerData: { how, name, workspaceIds } });
  await once(thread, 'message');
  return {
    name,
    ...(name === FLOOR ? {} : { floor: FLOOR }),
    ...(name === OURS[how] ? { aim: AIM } : {}),
    takeTurn: async (turn) => {
      thread.postMessage(turn);
      return (await once(thread, 'message'))[0];
    },
    stop: () => thread.terminate(),
  };
}
