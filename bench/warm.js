/** Warm resolves: the cache holds the workspace, its lease runs, its credential is open. Each contender has a thread. */
import { startThread } from './contender-thread.js';
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
  return {
    name,
    ...(name === FLOOR ? {} : { floor: FLOOR }),
    ...(name === OURS[how] ? { aim: AIM } : {}),
    ...(await startThread('warm-thread.js', { how, name, workspaceIds })),
  };
}
