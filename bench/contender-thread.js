/** A thread per contender, so that no other contender has changed its heap, or the compiled code of a shared library. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/**
 * @param {string} file the thread's program: it says when it is ready, and takes a turn on each message
 * @param {unknown} workerData
 */
export async function startThread(file, workerData) {
  const thread = new Worker(new URL(file, import.meta.url), { workerData });
  await once(thread, 'message');
  return {
    /** @returns {Promise<import('./rounds.js').Turn>} */
    takeTurn: async (/** @type {object} */ turn) => {
      thread.postMessage(turn);
      return (await once(thread, 'message'))[0];
    },
    stop: () => thread.terminate(),
  };
}
