/** What needs a person, with what to do about it. Each kind is a section of docs/watching.md. */
import { describeDuration } from '../../config/duration.js';
import type { WorkerStatus } from '../../management/fleet-status.js';
import { describeProvider } from '../../protocol/names.js';
import type { TroubledProvider } from '../../store/watch-store.js';
import { minute } from '../terminal/output.js';
import type { WatchedFleet, WatchedRotation } from './fleet-in-temporal.js';

export interface Attention {
  readonly kind:
    | 'no-worker'
    | 'lease-expired'
    | 'credential-overdue'
    | 'credential-rejected'
    | 'credential-unreadable'
    | 'rotation-gone'
    | 'rotation-stuck'
    | 'rotations-not-run'
    | 'key-sets-differ';
  /** What is wrong, and what to do. */
  readonly message: string;
}

/** Stages that a few seconds, or a lease, end. The others may take as long as a drain or an overlap. */
const SHORT_STAGES: readonly string[] = ['staged', 'checked', 'activated'];
const LONGEST_STAGE_MS = 15 * 60_000;

export function attentionTo(fleet: WatchedFleet): readonly Attention[] {
  return [
    ...ofWorkers(fleet),
    ...ofKeySets(fleet),
    ...fleet.rotations.flatMap((rotation) => ofRotation(rotation, fleet)),
    ...fleet.troubled.map(ofProvider),
  ];
}

function ofWorkers({ workers }: WatchedFleet): Attention[] {
  const expired = workers.filter(({ lease }) => lease === 'expired');
  const lines = expired.map(({ identity, silentMs }: WorkerStatus): Attention => {
    const what = `${identity} has no lease: it has not renewed for ${describeDuration(silentMs)}`;
    return { kind: 'lease-expired', message: `${what}; see its log, and end the process if it hangs` };
  });
  if (workers.some(({ lease }) => lease === 'held')) return lines;
  const message = 'no worker holds a lease, so nobody serves credentials: start a worker, or see the log of yours';
  return [{ kind: 'no-worker', message }, ...lines];
}

function ofKeySets({ keySets }: WatchedFleet): Attention[] {
  const used = keySets.filter(({ keySet }) => keySet !== '');
  if (used.length < 2) return [];
  const sets = used.map(({ keySet, identities }) => `${keySet.slice(0, 8)} (${identities.join(', ')})`).join(', ');
  const message =
    `workers use ${used.length} key sets of grants: ${sets}; after a change that lasts ten seconds, later check what ` +
    'their PROVIDER_GRANT_KEYS leads to';
  return [{ kind: 'key-sets-differ', message }];
}

function ofRotation(
  { provider, state, updatedAt, workflow }: WatchedRotation,
  { temporal }: WatchedFleet,
): Attention[] {
  const who = `the rotation of ${describeProvider(provider)}`;
  const again = `workspace-providers rotate ${provider.workspaceId} ${provider.type} ${provider.name}`;
  if (workflow === 'gone') {
    const message = `${who} has no workflow that runs: \`${again}\` ends it and begins again; the schedule rotate-due ends it too`;
    return [{ kind: 'rotation-gone', message }];
  }
  if (temporal.rotationsRun === false) {
    const message = `${who} waits, because no process polls the task queue ${temporal.operationsTaskQueue}: start a worker with PROVIDER_MANAGER_DATABASE_URL`;
    return [{ kind: 'rotations-not-run', message }];
  }
  const ageMs = Date.now() - updatedAt.getTime();
  if (!SHORT_STAGES.includes(state) || ageMs < LONGEST_STAGE_MS) return [];
  const message = `${who} is ${state} for ${describeDuration(ageMs)}: see its pending activity in the Temporal UI`;
  return [{ kind: 'rotation-stuck', message }];
}

function ofProvider({ trouble, provider, version, since, rotateEveryMs = 0 }: TroubledProvider): Attention {
  const { workspaceId, type, name } = provider;
  const who = `${describeProvider(provider)} (version ${version})`;
  const rotate = `\`workspace-providers rotate ${workspaceId} ${type} ${name}\``;
  switch (trouble) {
    case 'overdue': {
      const every = describeDuration(rotateEveryMs);
      const message = `${who} is older than its interval of ${every}: it was replaced ${minute(since)}; run ${rotate}`;
      return { kind: 'credential-overdue', message };
    }
    case 'rejected': {
      const message = `${who} was refused by its service ${minute(since)}: run ${rotate} with a key that the service accepts`;
      return { kind: 'credential-rejected', message };
    }
    default: {
      const message = `${who} did not open ${minute(since)}: check that ENCRYPTION_KEY has its root key, then run \`workspace-providers check ${workspaceId} ${type} ${name}\``;
      return { kind: 'credential-unreadable', message };
    }
  }
}
