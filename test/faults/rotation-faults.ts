/**
 * Faults of rotations: the workflow of one is terminated or reset at each of its stages, a reset of an older run ends a
 * newer one, and two operators rotate at once. Whatever happened, the schedule `rotate-due` must rotate the
 * provider, and leave no sealed credential in any row of its rotations. Of two operators, one must be told of the other.
 */
import { randomUUID } from 'node:crypto';
import { WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import { RotationClient, type RotationHandle } from '../../src/client/rotation-client.js';
import { isProviderError } from '../../src/protocol/errors.js';
import type { ProviderIdentity } from '../../src/protocol/references.js';
import type { LlmStandIn } from '../../testbed/standins/llm.js';
import { Teardown } from '../../testbed/teardown.js';
import type { Ledger } from './ledger.js';
import { type Held, patiently, ROTATION_QUEUE, RotationGround } from './rotation-ground.js';

/** Faults at the same time. Each has its own provider. */
const LANES = 6;
/** A rotation that is terminated is far from its end. One that is reset must reach it. */
const [LONG_OVERLAP, SHORT_OVERLAP] = ['10m', '2s'] as const;

type Overlap = typeof LONG_OVERLAP | typeof SHORT_OVERLAP;
type Reach = (ground: RotationGround, provider: ProviderIdentity, overlap: Overlap) => Promise<Held>;

const STAGES = {
  Staged: (ground, provider) => ground.holdService(provider),
  Fencing: async (ground, provider) => {
    const release = await ground.silentWorker();
    const handle = await ground.rotate(provider);
    await ground.until(provider, ({ state }) => state === 'activated');
    return { handle, release };
  },
  Draining: async (ground, provider) => {
    const end = await ground.step(provider);
    const handle = await ground.rotate(provider);
    await ground.until(provider, ({ state }) => state === 'fenced');
    return { handle, release: async () => end() };
  },
  Overlapping: async (ground, provider, overlap) => {
    const handle = await ground.rotate(provider, { overlap });
    await ground.until(provider, ({ state }) => state === 'drained');
    return { handle, release: async () => {} };
  },
  RollingBack: async (ground, provider, overlap) => {
    const handle = await ground.rotate(provider, { overlap: overlap === LONG_OVERLAP ? overlap : '5s' });
    await ground.until(provider, ({ state }) => state === 'drained');
    const end = await ground.step(provider);
    await patiently(() => ground.stage.rotations.rollBack(provider, 'a fault run'));
    await ground.until(provider, ({ rolledBack, state }) => rolledBack && state === 'fenced');
    return { handle, release: async () => end() };
  },
} satisfies Record<string, Reach>;

type Fault = (ground: RotationGround) => Promise<boolean>;

const FAULTS: Readonly<Record<string, Fault>> = {
  ...Object.fromEntries(
    Object.entries<Reach>(STAGES).flatMap(([stage, reach]) => [
      [`terminated${stage}`, (ground: RotationGround) => terminate(ground, reach)],
      [`reset${stage}`, (ground: RotationGround) => reset(ground, reach)],
    ]),
  ),
  olderRunReset,
  twoOperators,
};

export const ROTATION_FAULTS: readonly string[] = Object.keys(FAULTS);

export interface RotationFaultsOptions {
  readonly folder: string;
  readonly temporalAddress: string;
  readonly llm: LlmStandIn;
  readonly ledger: Ledger;
}

/** Runs these kinds in turn, in parallel lanes, until the signal is aborted and each has struck often enough. */
export async function runRotationFaults(
  { folder, temporalAddress, llm, ledger }: RotationFaultsOptions,
  kinds: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  if (kinds.length === 0) return;
  const teardown = new Teardown();
  try {
    const ground = await RotationGround.open(folder, { temporalAddress, llm }, ledger, teardown);
    let turn = 0;
    const isOver = () => signal.aborted && !ledger.isShortOf(kinds);
    const lanes = Array.from({ length: Math.min(LANES, kinds.length) }, async () => {
      while (!isOver()) {
        const kind = kinds[turn++ % kinds.length] ?? '';
        await ledger.awaitTurn([kind]);
        const startMs = performance.now();
        const struck = await FAULTS[kind]?.(ground).catch((error: unknown) => {
          ledger.oddities.push(`${kind}: ${String(error)}`);
          return true;
        });
        if (struck) ledger.countFault(kind, performance.now() - startMs);
      }
    });
    await Promise.all(lanes);
  } finally {
    await teardown.run();
  }
}

async function terminate(ground: RotationGround, reach: Reach): Promise<boolean> {
  const provider = await ground.newProvider();
  const { handle, release } = await reach(ground, provider, LONG_OVERLAP);
  try {
    if (!(await unlessGone(() => handle.terminate('a fault run')))) return false;
  } finally {
    await release();
  }
  await rotateDue(ground, provider);
  const [row] = await ground.rows(provider);
  if (!row?.reason?.includes('its workflow ended before')) {
    throw new Error(`the rotation that was terminated has the reason ${JSON.stringify(row?.reason)}`);
  }
  const events = (await ground.stage.manager.audit.listEvents(provider)).map(({ event }) => event);
  if (!events.includes('rotation-abandoned')) throw new Error('no event says that the rotation was abandoned');
  return true;
}

/** Resets the running workflow to its first task: everything is done again, and must have the same end. */
async function reset(ground: RotationGround, reach: Reach): Promise<boolean> {
  const provider = await ground.newProvider();
  const { handle, release } = await reach(ground, provider, SHORT_OVERLAP);
  try {
    if (!(await unlessGone(() => resetRun(ground, handle)))) return false;
  } finally {
    await release();
  }
  await ended(ground.stage.rotations.handleOf(provider));
  await checkRows(ground, provider);
  return true;
}

/** Temporal terminates a running workflow if an older, closed run of the same id is reset. */
async function olderRunReset(ground: RotationGround): Promise<boolean> {
  const provider = await ground.newProvider();
  const older = await ground.rotate(provider);
  await ended(older);
  const { runId } = await patiently(() => older.describe());
  const newer = await ground.rotate(provider, { overlap: LONG_OVERLAP });
  await ground.until(provider, ({ state }) => state === 'drained');
  const closed = ground.stage.client.workflow.getHandle(newer.workflowId, runId) as RotationHandle;
  await patiently(() => resetRun(ground, closed, runId));
  await rotateDue(ground, provider);
  return true;
}

async function twoOperators(ground: RotationGround): Promise<boolean> {
  const provider = await ground.newProvider();
  const { manager, operator } = ground.stage;
  const clients = ['ann', 'ben'].map((actor) => new RotationClient(manager.actingAs(actor), operator, ROTATION_QUEUE));
  const outcomes = await Promise.allSettled(clients.map((client) => client.rotate(provider)));
  const won = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
  // Temporal was away: this is another fault.
  if (refused.some((error) => !isProviderError(error))) return false;
  const [handle] = won;
  if (won.length !== 1 || !handle || !refused.every((error) => isProviderError(error, 'RotationInProgress'))) {
    throw new Error(`${won.length} of two operators won; the others were told: ${refused.map(String).join('; ')}`);
  }
  await ended(handle);
  await checkRows(ground, provider);
  const version = await ground.versionOf(provider);
  if (version !== 2) throw new Error(`two operators at once left version ${version}`);
  return true;
}

async function resetRun({ stage }: RotationGround, handle: RotationHandle, runId?: string): Promise<void> {
  const run = runId ?? (await handle.describe()).runId;
  const { events } = await stage.client.workflow.getHandle(handle.workflowId, run).fetchHistory();
  const first = events?.find(({ workflowTaskCompletedEventAttributes: completed }) => completed);
  await stage.client.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId: handle.workflowId, runId: run },
    reason: 'a fault run',
    requestId: randomUUID(),
    workflowTaskFinishEventId: first?.eventId,
  });
}

/** Makes the provider due, and checks that `rotate-due` rotates it and leaves nothing. */
async function rotateDue(ground: RotationGround, provider: ProviderIdentity): Promise<void> {
  const before = await ground.versionOf(provider);
  await ground.makeDue(provider);
  await patiently(async () => {
    await checkRows(ground, provider);
    const after = await ground.versionOf(provider);
    if (after <= before) throw new Error(`rotate-due left the provider at version ${after}`);
  });
}

async function checkRows(ground: RotationGround, provider: ProviderIdentity): Promise<void> {
  const rows = await ground.rows(provider);
  const left = rows.filter(({ ended, sealed }) => !ended || sealed > 0);
  if (left.length > 0) throw new Error(`rotations that did not end, or keep credentials: ${JSON.stringify(left)}`);
}

/** @throws if the workflow fails, or does not end in time */
async function ended(handle: { result(): Promise<unknown> }): Promise<void> {
  const failure = await patiently(() =>
    handle.result().then(
      () => undefined,
      (error: unknown) => {
        if (error instanceof WorkflowFailedError) return error;
        throw error;
      },
    ),
  );
  if (failure) throw new Error(`a workflow failed: ${String(failure.cause)}`);
}

/** @returns whether the workflow was still there */
async function unlessGone(strike: () => Promise<unknown>): Promise<boolean> {
  return patiently(async () => {
    try {
      await strike();
      return true;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw error;
    }
  });
}
