/**
 * A fault run: workers that read continuously, rotations, agents, and a nemesis; then the checker's verdict. It prints
 * findings line by line, and JSON as the last line. It runs for FAULT_SECONDS (60), and until each kind of fault has
 * struck: once, or ten times in a run of five minutes. It fails if that takes too long. FAULT_KINDS selects kinds. FAULT_HISTORY
 * names a file for the history, which `porcupine` checks. FAULT_LEASE=never-ends breaks the workers, which the checker
 * must find.
 */

import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { formatDuration } from '../../src/config/duration.js';
import { setUp } from '../../testbed/teardown.js';
import { runAgents } from './agents.js';
import { DATABASE_FAULTS, runDatabaseFaults } from './database-faults.js';
import { HistoryFile } from './history.js';
import { Ledger } from './ledger.js';
import { type Fleet, NEMESIS_FAULTS, Nemesis } from './nemesis.js';
import { ROTATION_FAULTS, runRotationFaults } from './rotation-faults.js';
import { Rotator } from './rotator.js';
import { Seat } from './seats.js';
import { faultStage, READERS, type ReaderName, type Stage } from './stage.js';

const LEASE_MS = 1_000;
const LONGEST_STEP_MS = 1_500;
/** Two, so that one continues if the other is killed. */
const OPERATIONS = ['operations-0', 'operations-1'];
/** The time for outages to end, and for everything that they delayed. */
const SETTLING_MS = 120_000;
const PROGRESS_MS = 10_000;
/** A busy machine needs longer until each kind of fault has struck. After that time, the run fails. */
const [SHORTEST_LIMIT_S, LONGEST_FACTOR] = [600, 4] as const;

/** @returns the exit code */
export async function runFaults(folder: string, env: NodeJS.ProcessEnv): Promise<number> {
  const seconds = Number(env.FAULT_SECONDS ?? 60);
  const stage = await setUp((teardown) => faultStage(folder, teardown));
  const kinds = env.FAULT_KINDS?.split(',') ?? [...NEMESIS_FAULTS, ...DATABASE_FAULTS, ...ROTATION_FAULTS];
  const ledger = new Ledger(kinds, env.FAULT_HISTORY ? new HistoryFile(resolve(env.FAULT_HISTORY)) : undefined);
  const fleet = fleetOn(stage, ledger, env.FAULT_LEASE === 'never-ends');
  const nemesis = new Nemesis(stage, fleet, ledger, LEASE_MS);
  const among = (all: readonly string[]) => kinds.filter((kind) => all.includes(kind));
  const seats = [...Object.values(fleet.readers), ...fleet.operations];
  try {
    await Promise.all(seats.map((seat) => seat.start()));
    const startMs = performance.now();
    ledger.leastStrikes = leastStrikes(seconds);
    ledger.latestEndMs = startMs + Math.max(SHORTEST_LIMIT_S, LONGEST_FACTOR * seconds) * 1_000;
    const elapsed = () => Math.round((performance.now() - startMs) / 1_000);
    const progress = setInterval(() => {
      console.error(
        `${elapsed()} s: ${ledger.reads} reads, ${ledger.rotations} rotations ${JSON.stringify(ledger.faults)}`,
      );
    }, PROGRESS_MS);
    const timeIsUp = new AbortController();
    const rotator = new Rotator(stage, ledger);
    const work = Promise.all([rotator.run(timeIsUp.signal), runAgents(stage, ledger, timeIsUp.signal)]);
    work.catch(() => {});
    const end = AbortSignal.timeout(seconds * 1_000);
    await Promise.all([
      nemesis.run(among(NEMESIS_FAULTS), end),
      runDatabaseFaults(folder, ledger, among(DATABASE_FAULTS), end),
      runRotationFaults({ ...stage, folder, ledger }, among(ROTATION_FAULTS), end),
    ]);
    timeIsUp.abort();
    await Promise.race([work, delay(SETTLING_MS, undefined, { ref: false })]);
    await delay(1_000); // some reads after the last change
    await Promise.all(seats.map((seat) => seat.end()));
    clearInterval(progress);
    await ledger.writeHistory();
    return report(ledger, await rotator.stored(), kinds, elapsed());
  } finally {
    await Promise.all(seats.map((seat) => seat.kill()));
    await stage.tearDown();
  }
}

function fleetOn(stage: Stage, ledger: Ledger, leaseNeverEnds: boolean): Fleet {
  const { proxy, database, encryptionKey, grantKeys, temporalAddress, workflowBundle, workspaceIds } = stage;
  const { resolverUrl, managerUrl } = database;
  const onCrash = (how: string) => void ledger.oddities.push(how);
  const common = { encryptionKey, grantKeySet: grantKeys.keySet, temporalAddress };
  const readers = READERS.map((name) => {
    const settings = (generation: number) => ({
      ...{ reader: `${name}.${generation}`, taskQueue: name, workflowBundle, workspaceIds, leaseNeverEnds, ...common },
      ...{ lease: formatDuration(LEASE_MS), longestStep: formatDuration(LONGEST_STEP_MS) },
      databaseUrl: proxy.through(name, resolverUrl),
      listenUrl: proxy.through(`${name}-listens`, resolverUrl),
    });
    return [
      name,
      new Seat(name, { script: 'reader', settings, onMessage: (message) => ledger.take(message), onCrash }),
    ];
  });
  return {
    readers: Object.fromEntries(readers) as Record<ReaderName, Seat>,
    operations: OPERATIONS.map(
      (name) =>
        new Seat(name, {
          script: 'operations',
          settings: () => ({ ...common, databaseUrl: proxy.through('operations', managerUrl) }),
          onMessage: (message) => ledger.take(message),
          onCrash,
        }),
    ),
  };
}

function report(
  ledger: Ledger,
  stored: { key: string; version: number }[],
  kinds: readonly string[],
  seconds: number,
): number {
  const { verdict, findings } = ledger.judge(stored);
  const least = ledger.leastStrikes;
  const missing = kinds
    .filter((kind) => (ledger.faults[kind] ?? 0) < least)
    .map((kind) => `too rare: ${kind} struck ${ledger.faults[kind] ?? 0} times, and at least ${least} are expected`);
  if (verdict.reads === 0) missing.push('never happened: a read');
  if (ledger.rotations === 0) missing.push('never happened: a rotation');
  if (ledger.requests === 0) missing.push('never happened: a request of a long step');
  for (const finding of [...findings, ...missing]) console.log(finding);
  console.error(`reads that failed: ${JSON.stringify(verdict.failures)}; agents: ${ledger.workflows.length}`);
  console.error(`median ms per fault, with its recovery: ${JSON.stringify(ledger.faultMs)}`);
  console.log(
    JSON.stringify({
      seconds,
      reads: verdict.reads,
      databaseReads: ledger.databaseReads,
      rotations: ledger.rotations,
      longSteps: { ...ledger.longSteps, requests: ledger.requests },
      fences: ledger.fenceMs.length,
      faults: ledger.faults,
      stale: verdict.stale.length,
      backwards: verdict.backwards.length,
      lost: verdict.lost.length,
      fenceMs: distribution(ledger.fenceMs),
      reportMs: distribution(ledger.reportMs),
      leaseMs: LEASE_MS,
    }),
  );
  return findings.length + missing.length === 0 ? 0 : 1;
}

/** Ten times in five minutes, once in a shorter run. */
function leastStrikes(seconds: number): number {
  return Math.max(1, 10 * Math.floor(seconds / 300));
}

function distribution(values: readonly number[]) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? null;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}
