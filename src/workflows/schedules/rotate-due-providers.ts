/**
 * Rotates the providers that are due, over all workspaces, one page of providers per workflow history. First it ends the
 * rotations whose workflows are gone, so that their providers can be rotated again. If a next credential was staged
 * ahead, or the service can issue one, a rotation runs as a child workflow. For each other provider that is due an event
 * is raised, once per version, so that a person rotates it.
 */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ChildWorkflowCancellationType,
  condition,
  continueAsNew,
  isCancellation,
  ParentClosePolicy,
  startChild,
} from '@temporalio/workflow';
import { rotationWorkflowId } from '../../protocol/rotation.js';
import type {
  DueRotation,
  ListedProvider,
  RotateDueProvidersInput,
  RotateDueTotals,
} from '../../protocol/schedules.js';
import { inTurns } from '../fan-out.js';
import { operation, SERVICE_OPTIONS, STORE_OPTIONS, SWEEP_OPTIONS } from '../rotation/proxies.js';
import { rotateProvider } from '../rotation/rotate-provider.js';

const NONE: RotateDueTotals = {
  ...{ due: 0, rotated: 0, underWay: 0, failed: 0, skipped: 0, needPerson: 0, overdue: 0, abandoned: 0 },
};

/**
 * How long the next provider waits for a rotation to end. Most end within seconds; one whose service hangs, or whose
 * credential is held by a long step, goes on beside the others.
 */
const LANE_MS = 15_000;
/** Rotations of a page that go on at the same time. Further ones wait until one of them has ended. */
const MOST_UNDER_WAY = 50;

type Outcome = Exclude<keyof RotateDueTotals, 'due' | 'abandoned'>;

/** A rotation that fails does not end the run. */
export async function rotateDueProviders({
  pageSize = 100,
  atOnce = 5,
  after,
  totals,
}: RotateDueProvidersInput): Promise<RotateDueTotals> {
  const counts = { ...(totals ?? { ...NONE, ...(await endAbandoned()) }) };
  const page = await operation('listDueRotations', STORE_OPTIONS, 'list due rotations')({ after, limit: pageSize });
  counts.due += page.length;
  const started = new StartedRotations();
  // A workspace whose rotations take long does not keep the others of the page waiting.
  const found = await inTurns(page, atOnce, workspaceOf, (due) => rotateDue(due, started));
  for (const kind of [...found.flat(), ...started.outcomes()]) counts[kind] += 1;
  if (page.length < pageSize) return counts;
  return continueAsNew<typeof rotateDueProviders>({
    pageSize,
    atOnce,
    after: placeOf(page.at(-1)),
    totals: counts,
  });
}

/** The rotations of a page, which go on by themselves. */
class StartedRotations {
  readonly #outcomes: Outcome[] = [];
  #underWay = 0;

  /** Starts a rotation if there are not too many, and waits for its end, but no longer than its turn. */
  async run(start: () => Promise<{ result(): Promise<unknown> }>): Promise<void> {
    await condition(() => this.#underWay < MOST_UNDER_WAY);
    this.#underWay += 1;
    let hasEnded = false;
    const end = (outcome?: Outcome) => {
      hasEnded = true;
      this.#underWay -= 1;
      if (outcome) this.#outcomes.push(outcome);
    };
    const child = await start().catch((error: unknown) => {
      end();
      throw error;
    });
    child.result().then(
      () => end('rotated'),
      () => end('failed'),
    );
    await condition(() => hasEnded, LANE_MS);
  }

  outcomes(): Outcome[] {
    return [...this.#outcomes, ...Array.from({ length: this.#underWay }, () => 'underWay' as const)];
  }
}

function endAbandoned(): Promise<{ readonly abandoned: number }> {
  return operation('endAbandonedRotations', SWEEP_OPTIONS, 'end the rotations whose workflows are gone')();
}

function workspaceOf({ provider }: DueRotation): string {
  return provider.workspaceId;
}

function placeOf(last: ListedProvider | undefined): ListedProvider | undefined {
  return last && { provider: last.provider, turn: last.turn };
}

/** @returns the totals that the provider counts towards, except those of a rotation that was started */
async function rotateDue({ provider, version }: DueRotation, started: StartedRotations): Promise<readonly Outcome[]> {
  const due = { provider, version };
  const who = `${due.provider.type}/${due.provider.name} for ${due.provider.workspaceId}`;
  try {
    const prepared = await operation('prepareDueRotation', SERVICE_OPTIONS, `prepare the rotation · ${who}`)(due);
    if (prepared.outcome === 'passed') return ['skipped'];
    if (prepared.outcome !== 'staged') {
      const { raised } = await operation('raiseOverdue', STORE_OPTIONS, `report as overdue · ${who}`)(due);
      return raised ? ['needPerson', 'overdue'] : ['needPerson'];
    }
    const { rotationId } = prepared;
    await started.run(() =>
      startChild(rotateProvider, {
        workflowId: rotationWorkflowId(due.provider),
        args: [{ rotationId, provider: due.provider }],
        staticSummary: `rotate ${who}`,
        // A rotation that has begun continues to its end, whatever happens to this run.
        parentClosePolicy: ParentClosePolicy.ABANDON,
        cancellationType: ChildWorkflowCancellationType.ABANDON,
      }),
    );
    return [];
  } catch (error) {
    if (isCancellation(error)) throw error;
    return [error instanceof WorkflowExecutionAlreadyStartedError ? 'skipped' : 'failed'];
  }
}
