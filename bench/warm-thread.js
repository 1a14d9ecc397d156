/** The thread of one warm contender: it fills the cache, checks the answers, and takes a turn on each message. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { parentPort, workerData } from 'node:worker_threads';
import { do_not_optimize } from 'mitata';
import { turnOfMs } from './rounds.js';
import { AWAITED, referenceTo, SYNCHRONOUS } from './warm-contenders.js';

/** Few enough for the processor's cache to keep room for what is measured. */
const PICKS_PER_WORKSPACE = 4;

// Every Temporal worker has one, for the context of activities, and it makes each promise dearer for all contenders.
new AsyncLocalStorage().run(true, () => {});

const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort);
const { how, name, workspaceIds } = workerData;
const get = await { synchronous: SYNCHRONOUS, awaited: AWAITED }[how][name](workspaceIds);

for (const id of workspaceIds) {
  // Peers that are not filled load now. A contender with a wrong answer must not be measured.
  const { workspaceId, version } = (await get(id)) ?? {};
  if (workspaceId !== id || version !== referenceTo(id).version) throw new Error(`${name} does not answer`);
}

port.on('message', async ({ among, turnMs }) => {
  const length = among * PICKS_PER_WORKSPACE;
  const sequence = Array.from({ length }, () => workspaceIds[Math.floor(Math.random() * among)]);
  let next = 0;
  const run = () => {
    next = next + 1 === length ? 0 : next + 1;
    const answer = get(sequence[next]);
    do_not_optimize(answer);
    return answer;
  };
  port.postMessage(await turnOfMs(turnMs)({ run }));
});
port.postMessage('ready');
