/**
 * Judges a fault run by the promise of the fence, a regular register: a read that starts after a change was reported as
 * done returns that change or a newer one; within one workflow versions never go back; a change reported as done is
 * stored; everything that started has ended. Reads that overlap a change may return either version, on any worker.
 */
import type { Change, History, Instant, Observation } from './observations.js';

/** A read of `version` that started `lateMs` after `done` was reported as done. */
export interface StaleRead {
  readonly reader: string;
  readonly key: string;
  readonly version: number;
  readonly done: { readonly id: string; readonly version: number };
  readonly lateMs: number;
}

/** A step that used an older version than an earlier step of its workflow. */
export interface BackwardStep {
  readonly workflowId: string;
  readonly step: number;
  readonly key: string;
  readonly before: { readonly reader: string; readonly version: number };
  readonly after: { readonly reader: string; readonly version: number };
}

/** A change that was reported as done and is not in the database. */
export interface LostChange {
  readonly id: string;
  readonly key: string;
  readonly version: number;
  /** Absent if the row is missing. */
  readonly stored?: number;
}

/** A read that returned a version before its change began. Then the times are not of one clock, and prove nothing. */
export interface ReadFromTheFuture {
  readonly reader: string;
  readonly key: string;
  readonly version: number;
  readonly earlyMs: number;
}

export interface Verdict {
  readonly reads: number;
  readonly failures: Readonly<Record<string, number>>;
  readonly stale: readonly StaleRead[];
  readonly backwards: readonly BackwardStep[];
  readonly lost: readonly LostChange[];
  /** Changes that started and never ended. */
  readonly unended: readonly { readonly id: string; readonly key: string }[];
  readonly fromTheFuture: readonly ReadFromTheFuture[];
}

type DoneChange = Change & { readonly version: number; readonly endedAt: Instant };

/** One reader's reads of one version of a key, with all changes of that key. */
interface Case {
  readonly reader: string;
  readonly observation: Observation;
  readonly changes: readonly Change[];
}

export function check(history: History): Verdict {
  const failures: Record<string, number> = {};
  for (const reader of history.readers) {
    for (const [type, count] of Object.entries(reader.failures)) failures[type] = (failures[type] ?? 0) + count;
  }
  const changes = byKey(history.changes);
  const cases = history.readers.flatMap(({ reader, observations }) =>
    observations.map((observation) => ({ reader, observation, changes: changes.get(observation.key) ?? [] })),
  );
  return {
    reads: cases.reduce((sum, { observation }) => sum + observation.reads, 0),
    failures,
    stale: cases.flatMap(staleRead),
    backwards: history.workflows.flatMap(backwardSteps),
    lost: [...changes.values()].flatMap((ofKey) => lostChanges(ofKey, history.stored)),
    unended: history.changes.filter(({ endedAt }) => endedAt === undefined).map(({ id, key }) => ({ id, key })),
    fromTheFuture: cases.flatMap(fromTheFuture),
  };
}

function byKey(changes: readonly Change[]): Map<string, Change[]> {
  const groups = new Map<string, Change[]>();
  for (const change of changes) groups.set(change.key, [...(groups.get(change.key) ?? []), change]);
  return groups;
}

function isDone(change: Change): change is DoneChange {
  return change.version !== undefined && change.endedAt !== undefined;
}

/** Compares with the newer version that was reported as done first, because later ones add no condition. */
function staleRead({ reader, observation, changes }: Case): StaleRead[] {
  const { key, version, lastInvokedAt } = observation;
  const [first] = changes
    .filter(isDone)
    .filter((change) => change.version > version)
    .sort((a, b) => msBetween(b.endedAt, a.endedAt));
  const lateMs = first ? msBetween(first.endedAt, lastInvokedAt) : 0;
  return first && lateMs > 0 ? [{ reader, key, version, done: { id: first.id, version: first.version }, lateMs }] : [];
}

/** A change that did not report its version may have made any version. */
function fromTheFuture({ reader, observation, changes }: Case): ReadFromTheFuture[] {
  const { key, version, firstReturnedAt } = observation;
  const makers = changes.filter((change) => change.version === version || change.version === undefined);
  if (!makers.some((change) => change.version === version)) return [];
  const earlyMs = Math.min(...makers.map(({ startedAt }) => msBetween(firstReturnedAt, startedAt)));
  return earlyMs > 0 ? [{ reader, key, version, earlyMs }] : [];
}

function backwardSteps({ workflowId, steps }: History['workflows'][number]): BackwardStep[] {
  const newest = new Map<string, { reader: string; version: number }>();
  return steps.flatMap(({ reader, key, version }, step) => {
    const before = newest.get(key);
    const after = { reader, version };
    if (before && version < before.version) return [{ workflowId, step, key, before, after }];
    newest.set(key, after);
    return [];
  });
}

/** A row may be missing if a removal was the last change, or may have been done without a report. */
function lostChanges(changes: readonly Change[], stored: History['stored']): LostChange[] {
  const removals = changes.filter(({ removed }) => removed).map(({ version }) => version ?? Number.POSITIVE_INFINITY);
  const lastRemoval = Math.max(Number.NEGATIVE_INFINITY, ...removals);
  return changes.filter(isDone).flatMap(({ id, key, version }) => {
    const row = stored.find((candidate) => candidate.key === key);
    if (!row) return version > lastRemoval ? [{ id, key, version }] : [];
    return row.version < version ? [{ id, key, version, stored: row.version }] : [];
  });
}

function msBetween(from: Instant, to: Instant): number {
  return Number(BigInt(to) - BigInt(from)) / 1e6;
}

/** Describes each finding in one line, for the output of the run. */
export function describeFindings({ stale, backwards, lost, unended, fromTheFuture }: Verdict): string[] {
  const ms = (value: number) => `${value.toFixed(3)} ms`;
  return [
    ...stale.map(
      ({ reader, key, version, done, lateMs }) =>
        `stale: ${reader} read ${key} at version ${version}, ${ms(lateMs)} after ${done.id} had reported version ${done.version} done`,
    ),
    ...backwards.map(
      ({ workflowId, step, key, before, after }) =>
        `backwards: step ${step} of ${workflowId} used ${key} at version ${after.version} on ${after.reader}, after version ${before.version} on ${before.reader}`,
    ),
    ...lost.map(
      ({ id, key, version, stored }) =>
        `lost: ${id} reported ${key} at version ${version}; ${stored === undefined ? 'its row is missing' : `version ${stored} is stored`}`,
    ),
    ...unended.map(({ id, key }) => `unended: ${id}, of ${key}`),
    ...fromTheFuture.map(
      ({ reader, key, version, earlyMs }) =>
        `no common clock: ${reader} read ${key} at version ${version} ${ms(earlyMs)} before its change began`,
    ),
  ];
}
