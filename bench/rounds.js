/**
 * Contenders take turns in rounds, so that other load on the machine affects all of them. A ratio is taken within a
 * round. Within a turn `mitata` measures, unless a benchmark takes its own samples.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { measure } from 'mitata';

// Collects one contender's garbage before the next one is measured.
setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');

/**
 * @typedef {object} Contender
 * @property {string} name
 * @property {string} [floor] the name of the contender that it is compared with
 * @property {number} [aim] the highest ratio to its floor that meets the aim
 *
 * @typedef {object} Turn in nanoseconds
 * @property {number} samples
 * @property {number} min
 * @property {number} p50
 * @property {number} p99
 * @property {number} max
 *
 * @typedef {object} Result
 * @property {string} name
 * @property {number} p50 the median of the rounds' medians, in nanoseconds
 * @property {number} p99 the median of the rounds' p99, in nanoseconds
 * @property {{ floor: string, median: number, min: number, max: number }} [ratio] of the rounds' medians
 * @property {number} [aim]
 * @property {Record<string, number>} [counts] other counts, by name
 * @property {Turn[]} rounds
 */

/**
 * @template {Contender} Kind
 * @param {readonly Kind[]} contenders
 * @param {number} rounds
 * @param {(contender: Kind) => Promise<Turn>} takeTurn
 * @returns {Promise<Result[]>}
 */
export async function inRounds(contenders, rounds, takeTurn) {
  /** @type {Map<string, Turn[]>} */
  const turns = new Map(contenders.map(({ name }) => [name, []]));
  const turnsOf = (/** @type {string} */ name) => /** @type {Turn[]} */ (turns.get(name));
  for (let round = 0; round < rounds; round++) {
    // Every other round runs backwards, so that no contender always comes after the same one.
    const order = round % 2 === 0 ? contenders : [...contenders].reverse();
    for (const contender of order) turnsOf(contender.name).push(await takeTurn(contender));
  }
  return contenders.map(({ name, floor, aim }) => {
    const own = turnsOf(name);
    const result = {
      name,
      p50: median(own.map(({ p50 }) => p50)),
      p99: median(own.map(({ p99 }) => p99)),
      rounds: own,
    };
    if (floor === undefined) return result;
    const beside = turnsOf(floor);
    const ratios = own.map(({ p50 }, round) => p50 / beside[round].p50);
    return {
      ...result,
      aim,
      ratio: { floor, median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) },
    };
  });
}

/**
 * Returns a function that takes a turn of at least `turnMs`. A function that is too short for the clock is called in
 * batches of 4,096. Each sample, and so the p99, is then the mean of a batch.
 *
 * @param {number} turnMs
 * @returns {(contender: { run: () => unknown }) => Promise<Turn>} `run` is awaited if it returns a promise
 */
export function turnOfMs(turnMs) {
  return async ({ run }) => {
    const { samples, min, p50, p99, max } = await measure(run, { min_cpu_time: turnMs * 1e6, gc });
    return { samples: samples.length, min, p50, p99, max };
  };
}

/** @param {readonly number[]} values */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
