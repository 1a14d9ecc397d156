/**
 * A key is rotated while agents work. One worker is stopped from before the activation until the rotation reports that
 * no worker serves the older version, so the fence must wait for its lease. A step of another worker holds the older
 * key at the service, so the drain must wait for that step.
 */
import type { WorkflowHandle } from '@temporalio/client';
import { line } from '../src/cli/terminal/output.js';
import type { RotationStatus } from '../src/protocol/rotation.js';
import type { Hold } from '../src/testing/services/controls.js';
import { type Agent, workerOf } from './agents.js';
import type { Audience } from './audience.js';
import { askUntilServed } from './callers.js';
import { RotationWatch } from './rotation-watch.js';
import type { DemoRotation } from './services.js';
import type { Stage } from './stage.js';

/** What `--json` prints about the rotation. All of it was observed. */
export interface RotationFacts {
  /** How long the fence took, in milliseconds; null if it did not end. */
  readonly fencedMs: number | null;
  /** Whether no step held the older key any more when it was revoked. */
  readonly drained: boolean;
  /** Whether the service's admin API deactivated the older key, and the service then refused it. */
  readonly revoked: boolean;
  /** The number of questions with the older key after the fence had ended; null if it did not end. */
  readonly staleReads: number | null;
  /** The workers that did not answer, whose leases the fence waited for. */
  readonly waitedOut: readonly string[];
  /** The workers that asked the model with the next key afterwards. */
  readonly servedBy: readonly string[];
}

export interface RotationScene {
  /** The rotation's workflow, and the agents that asked meanwhile: their histories are searched too. */
  readonly workflows: readonly WorkflowHandle[];
  /** The facts as of the call: a stale read may come late. */
  facts(): RotationFacts;
  isSound(): boolean;
}

/** An agent whose question has reached the model, which holds it unanswered. */
export interface HeldStep {
  readonly agent: Agent;
  readonly hold: Hold;
}

export async function rotateMeanwhile(
  { provider, next: secret, question, ...service }: DemoRotation,
  { agent, hold }: HeldStep,
  stage: Stage,
  { line: tell, step }: Audience,
): Promise<RotationScene> {
  const holder = await workerOf(agent);
  const stopped = stage.workers.find(({ identity }) => identity !== holder);
  if (!stopped) throw new Error('the demo needs two workers');
  const before = await askUntilServed(question, 1, stage);
  stopped.pause();
  tell(`\n‖ ${stopped.identity} stopped (SIGSTOP), with version 1 in its cache and a lease on it`);
  try {
    const handle = await stage.rotations.rotate({ ...provider, secret });
    const watch = new RotationWatch(handle, tell);
    const { toVersion = 2 } = await watch.until((status) => status.toVersion !== undefined);
    const asking = askUntilServed(question, toVersion, stage, step);
    asking.catch(() => {}); // awaited at the end

    watch.printRunning(await watch.until((status) => isFencedBut(stopped.identity, status)));
    await watch.until(({ fencedAt }) => fencedAt !== undefined);
    stopped.wake();
    tell(`▶ ${stopped.identity} woken (SIGCONT)`);

    watch.printRunning(await watch.until((status) => isHeldBy(holder, status)));
    hold.release();
    tell(`▶ ${holder} gets its answer, for ${agent.workflowId}`);
    const status = await watch.until();
    const isRefused = await service.isOlderKeyRefused();
    tell(line(isRefused ? 'ok' : 'bad', isRefused ? 'refused' : 'accepted', ['the older key, asked with directly']));

    const after = await asking;
    const facts = () => factsOf(status, service, isRefused, after.by);
    // A positive control: the held step's question came with the older key, so a count of zero would be wrong.
    const isSeen = service.countWithOlderKeySince(new Date(0).toISOString()) > 0;
    const isSound = () => isSeen && provesAll(facts(), stopped.identity, stage);
    return { workflows: [handle, ...before.agents, ...after.agents], facts, isSound };
  } finally {
    stopped.wake();
    hold.release();
  }
}

function factsOf(
  { fence, fencedAt, drain, revocation }: RotationStatus,
  { countWithOlderKeySince }: Pick<DemoRotation, 'countWithOlderKeySince'>,
  isRefused: boolean,
  servedBy: readonly string[],
): RotationFacts {
  const waitedOut = fence?.workers.filter(({ outcome }) => outcome === 'waited-out') ?? [];
  return {
    fencedMs: fencedAt && fence ? Math.round(fence.tookMs) : null,
    drained: drain?.drained === true,
    revoked: revocation?.outcome === 'revoked' && isRefused,
    staleReads: fencedAt ? countWithOlderKeySince(fencedAt) : null,
    waitedOut: waitedOut.map(({ identity }) => identity),
    servedBy,
  };
}

function provesAll(facts: RotationFacts, stopped: string, { workers }: Stage): boolean {
  const { drained, revoked, staleReads, waitedOut, servedBy } = facts;
  const waitedForIt = waitedOut.length === 1 && waitedOut[0] === stopped;
  return drained && revoked && staleReads === 0 && waitedForIt && servedBy.length === workers.length;
}

/** Whether all workers but that one have dropped the older version. */
function isFencedBut(identity: string, { fence, fencedAt }: RotationStatus): boolean {
  const waiting = fence?.workers.filter(({ outcome }) => outcome === 'waiting') ?? [];
  return fencedAt !== undefined || (waiting.length === 1 && waiting[0]?.identity === identity);
}

function isHeldBy(identity: string, { drain }: RotationStatus): boolean {
  if (!drain) return false;
  return drain.drained || drain.holders.some((holder) => holder.identity === identity && holder.held.length > 0);
}
