/** The stages of a rotation as lines: those that have passed, then the one that runs. They show only what is proved. */

import { describeDuration } from '../../config/duration.js';
import type { CheckReport, Holder, RotationStatus } from '../../protocol/rotation.js';
import { describeAnswers, describeWait, timeOfDay } from './fence-text.js';
import type { Mark } from './output.js';

export interface StageLine {
  readonly mark: Mark;
  readonly verb: string;
  readonly facts: readonly (string | undefined)[];
}

/** The line of a rotation that no worker has begun. */
export const WAITING: StageLine = { mark: 'running', verb: 'waiting', facts: ['for a worker to take it'] };

export function stagesOf(status: RotationStatus): readonly StageLine[] {
  const lines = [checkLine(status), ...(status.toVersion === undefined ? [] : linesOnceActive(status))];
  return lines.filter((line) => line !== undefined);
}

function checkLine({ state, check }: RotationStatus): StageLine | undefined {
  if (state === 'staged')
    return { mark: 'running', verb: 'checking', facts: [check && `${check.detail}; asking again`] };
  if (!check) return undefined;
  const facts = [`${check.detail} (${check.tookMs} ms)`, state === 'failed' ? undefined : acceptance(check)];
  if (check.outcome === 'ok') return { mark: 'ok', verb: 'checked', facts };
  return { mark: check.outcome === 'rejected' ? 'bad' : 'unsure', verb: check.outcome.replace('-', ' '), facts };
}

function acceptance({ outcome }: CheckReport): string | undefined {
  return outcome === 'cannot-tell' ? 'accepted unchecked' : undefined;
}

function linesOnceActive(status: RotationStatus): (StageLine | undefined)[] {
  const { toVersion, rollingBack, reason, fencedAt } = status;
  const active: StageLine = rollingBack
    ? { mark: 'ok', verb: 'rolled back', facts: [`version ${toVersion} holds the older credential`, reason] }
    : { mark: 'ok', verb: 'activated', facts: [`version ${toVersion}`] };
  return [active, fenceLine(status), ...(fencedAt ? [drainLine(status), overlapLine(status), revokeLine(status)] : [])];
}

function fenceLine({ fence, fencedAt, fromVersion }: RotationStatus): StageLine {
  if (!fence || !fencedAt) return { mark: 'running', verb: 'fencing', facts: [describeWait(fence)] };
  const since = `no worker has served version ${fromVersion} since ${timeOfDay(new Date(fencedAt))}`;
  return { mark: 'ok', verb: 'fenced', facts: [`${since} (${describeAnswers(fence)})`] };
}

function drainLine(status: RotationStatus): StageLine {
  const { drain, fromVersion } = status;
  if (drain?.drained) {
    const facts = [`no step holds version ${fromVersion} (${describeDuration(drain.tookMs)})`];
    return { mark: 'ok', verb: 'drained', facts };
  }
  const facts = [drain && describeHolders(drain.holders, `version ${fromVersion}`)];
  if (isDraining(status)) return { mark: 'running', verb: 'draining', facts };
  return { mark: 'unsure', verb: 'not drained', facts };
}

/** The next stage begins whether the drain succeeded or not. */
function isDraining({ drain, overlapUntil, revocation }: RotationStatus): boolean {
  return !drain?.drained && !overlapUntil && !revocation;
}

function overlapLine({ overlapUntil }: RotationStatus): StageLine | undefined {
  if (!overlapUntil) return undefined;
  const until = `${overlapUntil.slice(0, 19).replace('T', ' ')} UTC`;
  const facts = [`both credentials stay valid until ${until}; rollback brings the older one back`];
  return { mark: 'running', verb: 'overlapping', facts };
}

function revokeLine(status: RotationStatus): StageLine | undefined {
  const { revocation, overlapUntil } = status;
  if (!revocation)
    return isDraining(status) || overlapUntil ? undefined : { mark: 'running', verb: 'revoking', facts: [] };
  const { outcome, detail } = revocation;
  return outcome === 'revoked'
    ? { mark: 'ok', verb: 'revoked', facts: [detail] }
    : { mark: 'unsure', verb: 'revoke', facts: [detail] };
}

/** `2 steps still hold version 3: agents-7 (41 s), agents-9 (3 s)` @param unknown - what it is about if none is known */
export function describeHolders(holders: readonly Holder[], unknown: string): string {
  const steps = holders.flatMap(({ held }) => held).reduce((sum, { count }) => sum + count, 0);
  const who = holders.map(describeHolder).join(', ');
  if (steps === 0) return `unknown whether steps still hold ${unknown}: ${who}`;
  const versions = [...new Set(holders.flatMap(({ held }) => held.map(({ version }) => version)))].sort(
    (a, b) => a - b,
  );
  const which = `${versions.length === 1 ? 'version' : 'versions'} ${versions.join(', ')}`;
  return `${steps} ${steps === 1 ? 'step still holds' : 'steps still hold'} ${which}: ${who}`;
}

function describeHolder({ identity, held }: Holder): string {
  if (held.length === 0) return `${identity} (does not answer)`;
  return `${identity} (${describeDuration(Math.max(...held.map(({ longestMs }) => longestMs)))})`;
}
