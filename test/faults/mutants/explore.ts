/**
 * Walks through random schedules of a world, looking for one that breaks the property. Uniform chance would run all
 * parts at about the same pace, but faults show if one part is slow and others are fast. So each walk gives every
 * action a weight, over three decades, and draws all weights again now and then. The seed decides everything.
 */
import type { Protocol } from './protocol.js';
import { World, type WorldOptions } from './world.js';

export interface Exploration {
  /** Absent if none was found. */
  readonly violation: string | undefined;
  /** The actions that led to it. */
  readonly schedule: readonly string[];
  /** The number of walks, including that one. */
  readonly schedules: number;
  /** The number of reads that were checked. */
  readonly reads: number;
  readonly fences: number;
  /** The number of heads of requests that were checked. */
  readonly heads: number;
  readonly drains: number;
}

export interface Bounds extends Partial<WorldOptions> {
  readonly seed: number;
  readonly schedules: number;
  /** A schedule that is walked before all others. */
  readonly kept?: readonly string[];
}

/** In actions. The hardest fault needs about thirty. */
const DEPTH = 60;
const DECADES = 3;
/** In actions, on average. */
const PACE_LASTS = 12;
/** Time and faults are off most of the time, because they end most interesting states. */
const RARE = /lost$|^time|jumps$/;
const RARITY = 0.7;
/** Ends every interesting state at once. */
const RAREST = /goes back/;
const RAREST_RARITY = 0.97;

/** From a cold start to a worker with a lease and a cached entry. */
const WARM_UP = [
  ...['the worker renews', 'worker registers: commit', 'worker registers: answer'],
  ...['worker renews: snapshot', 'worker renews: commit', 'worker renews: answer'],
  ...['a read', 'worker loads: snapshot', 'worker loads: answer'],
];
const STEP_BEGINS = ['a step begins', 'worker loads: snapshot', 'worker loads: answer'];
/** The share of walks that start there. */
const [WARM, WARM_WITH_STEP] = [0.5, 0.9] as const;

export async function explore(protocol: Protocol, bounds: Bounds): Promise<Exploration> {
  const { seed, schedules, kept = [], hasStep = false } = bounds;
  const counts = { reads: 0, fences: 0, heads: 0, drains: 0 };
  const known = await replay(protocol, kept, { hasStep });
  if (known) return { violation: known, schedule: kept, schedules: 1, ...counts };
  const random = randomFrom(seed);
  const warmUp = hasStep ? [...WARM_UP, ...STEP_BEGINS] : WARM_UP;
  for (let walked = 1; walked <= schedules; walked += 1) {
    const world = new World(protocol, { hasStep });
    const schedule = await walk(world, random, random() < (hasStep ? WARM_WITH_STEP : WARM) ? warmUp : []);
    for (const what of Object.keys(counts) as (keyof typeof counts)[]) counts[what] += world[what];
    world.end();
    if (world.violation) return { violation: world.violation, schedule, schedules: walked, ...counts };
  }
  return { violation: undefined, schedule: [], schedules, ...counts };
}

/** Runs a schedule without the actions that are impossible. @returns the violation, if any */
export async function replay(
  protocol: Protocol,
  schedule: readonly string[],
  options?: WorldOptions,
): Promise<string | undefined> {
  const world = new World(protocol, options);
  for (const name of schedule) {
    if (world.violation) break;
    if (world.actions().has(name)) await world.take(name);
  }
  world.end();
  return world.violation;
}

/** Removes the actions of a schedule that are not needed to break the protocol. */
export async function shrink(
  protocol: Protocol,
  schedule: readonly string[],
  options?: WorldOptions,
): Promise<readonly string[]> {
  for (let index = schedule.length - 1; index >= 0; index -= 1) {
    const shorter = schedule.toSpliced(index, 1);
    if (await replay(protocol, shorter, options)) return shrink(protocol, shorter, options);
  }
  return schedule;
}

async function walk(world: World, random: () => number, warmUp: readonly string[]): Promise<string[]> {
  const schedule: string[] = [];
  const take = (name: string) => {
    schedule.push(name);
    return world.take(name);
  };
  for (const name of warmUp) {
    if (world.actions().has(name)) await take(name);
  }
  const weights = new Map<string, number>();
  while (schedule.length < DEPTH && !world.violation) {
    if (random() < 1 / PACE_LASTS) weights.clear();
    const names = [...world.actions().keys()];
    for (const name of names) if (!weights.has(name)) weights.set(name, weigh(name, random));
    await take(pick(names, weights, random()));
  }
  return schedule;
}

function weigh(name: string, random: () => number): number {
  const rarity = RAREST.test(name) ? RAREST_RARITY : RARE.test(name) ? RARITY : 0;
  return random() < rarity ? 0 : 10 ** (-DECADES * random());
}

function pick(names: readonly string[], weights: ReadonlyMap<string, number>, random: number): string {
  let left = random * names.reduce((sum, name) => sum + (weights.get(name) ?? 0), 0);
  const picked = names.find((name) => {
    left -= weights.get(name) ?? 0;
    return left < 0;
  });
  // Used if all possible actions are off at this pace.
  return picked ?? names[0] ?? '';
}

/** Mulberry32: numbers from 0 to below 1, the same numbers for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
