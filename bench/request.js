/**
 * A request of a step with the `fetch` of its provider, beside one that has the key itself: one after the other, on one
 * connection, to a service in a thread of its own.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { startThread } from './contender-thread.js';
import { FLOOR, REQUESTS } from './request-contenders.js';
import { inRounds } from './rounds.js';

/**
 * @param {{ rounds: number, turnMs: number }} settings
 * @returns {Promise<import('./report.js').Part[]>}
 */
export async function benchRequest({ rounds, turnMs }) {
  const secrets = { apiKey: `canary-llm-${randomHex()}`, endpointPath: `/v2/canary-rpc-${randomHex()}` };
  const server = new Worker(new URL('request-service.js', import.meta.url), { workerData: secrets });
  const contenders = [];
  try {
    const [port] = await once(server, 'message');
    const service = { origin: `http://127.0.0.1:${port}`, ...secrets };
    for (const name of Object.keys(REQUESTS)) {
      const thread = await startThread('request-thread.js', { name, service });
      contenders.push({ name, ...(name === FLOOR ? {} : { floor: FLOOR }), ...thread });
    }
    const results = await inRounds(contenders, rounds, ({ takeTurn }) => takeTurn({ turnMs }));
    const [floor] = results;
    for (const result of results.slice(1)) result.counts = { 'µs more': (result.p50 - floor.p50) / 1e3 };
    server.postMessage('how many connections?');
    const [connections] = await once(server, 'message');
    // One for the first request, and one if it was closed while the others had their turns.
    const most = contenders.length * (rounds + 1);
    if (connections > most) throw new Error('a contender opened more than one connection in a turn');
    return [{ title: 'a request of a step, one after another', unit: 'µs', results }];
  } finally {
    await Promise.all([server.terminate(), ...contenders.map(({ stop }) => stop())]);
  }
}

function randomHex() {
  return randomBytes(36).toString('hex');
}
