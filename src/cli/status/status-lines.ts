/** The state of a fleet as lines for a person: first the facts, then what needs somebody. */
import { describeDuration } from '../../config/duration.js';
import type { WorkerStatus } from '../../management/fleet-status.js';
import { describeProvider } from '../../protocol/names.js';
import { timeOfDay } from '../terminal/fence-text.js';
import { line, minute, table } from '../terminal/output.js';
import type { Attention } from './attention.js';
import type { TemporalStatus, WatchedFleet, WatchedRotation } from './fleet-in-temporal.js';

export function statusLines(fleet: WatchedFleet, attention: readonly Attention[]): readonly string[] {
  const { schema, epoch, lineage, workers, keySets, rotations, temporal, cut } = fleet;
  const newer = schema.applied > schema.expected && `newer than this build (${schema.expected})`;
  const revisions = keySets.map(({ keySet, identities }) => `${keySet.slice(0, 8) || 'none'} (${identities.length})`);
  return [
    line('ok', 'schema', [schema.applied, newer || undefined, `epoch ${epoch}`, `lineage ${lineage.slice(0, 8)}`]),
    ...table(workers.map(workerRow)),
    ...(revisions.length > 0 ? [line('ok', 'key sets', [revisions.join(', ')])] : []),
    temporalLine(temporal),
    ...rotations.map(rotationLine),
    ...attention.map(({ kind, message }) => line(MARKS[kind] ?? 'unsure', 'attention', [message])),
    ...(cut ? [line('unsure', 'more', ['each list has only its first 100 entries'])] : []),
    ...(attention.length === 0 && temporal.reachable ? [line('ok', 'all well', [timeOfDay(fleet.readAt)])] : []),
  ];
}

const MARKS: Readonly<Partial<Record<Attention['kind'], 'bad'>>> = {
  'no-worker': 'bad',
  'credential-rejected': 'bad',
  'credential-unreadable': 'bad',
};

const LEASES = { held: 'lease until', expired: 'lease ended', 'given-up': 'vanished, lease ended' } as const;

function workerRow({ identity, lease, leaseUntil, silentMs, behind, registeredAt, build, keySet }: WorkerStatus) {
  return [
    identity,
    `${LEASES[lease]} ${timeOfDay(leaseUntil)}`,
    `heard ${describeDuration(silentMs)} ago`,
    behind > 0 ? `${behind} ${behind === 1 ? 'change' : 'changes'} behind` : 'current',
    `since ${minute(registeredAt)}`,
    `build ${build}`,
    keySet === '' ? 'no grants' : `keys ${keySet.slice(0, 8)}`,
  ];
}

function rotationLine({ provider, state, updatedAt, waitsFor, workflow }: WatchedRotation): string {
  const facts = [describeProvider(provider), `${state} since ${minute(updatedAt)}`];
  return line('running', 'rotating', [
    ...facts,
    workflow === 'gone' ? 'its workflow is gone' : `waits for ${waitsFor}`,
  ]);
}

function temporalLine({ reachable, error, namespace, operationsTaskQueue, rotationsRun }: TemporalStatus): string {
  if (!reachable) return line('unsure', 'temporal', ['not asked about rotations', error?.message]);
  const runs = `${rotationsRun ? 'rotations run' : 'no process runs rotations'} on ${operationsTaskQueue}`;
  return line(rotationsRun ? 'ok' : 'unsure', 'temporal', [`namespace ${namespace}`, runs]);
}
