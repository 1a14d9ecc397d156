/**
 * Rotates the providers that are due, over all workspaces, one page of providers per workflow history. If a next
 * credential was staged ahead, or the service can issue one, a rotation runs as a child workflow. For each other
 * provider that is due an event is raised, once per version, so that a person rotates it.
 */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ChildWorkflowCancellationType,
  ChildWorkflowFailure,
  continueAsNew,
  executeChild,
  isCancellation,
  ParentClosePolicy,
} from '@temporalio/workflow';
import { rotationWorkflowId } from '../../protocol/rotation.js';
import type {
  DueRotation,
  ListedProvider,
  RotateDueProvidersInput,
  RotateDueTotals,
} from '../../protocol/schedules.js';
import { inTurns } from '../fan-out.js';
import { operation, SERVICE_OPTIONS, STORE_OPTIONS } from '../rotation/proxies.js';
import { rotateProvider } from '../rotation/rotate-provider.js';

const NONE: RotateDueTotals = { due: 0, rotated: 0, failed: 0, skipped: 0, needPerson: 0, overdue: 0 };

/** A rotation that fails does not end the run. */
export async function rotateDueProviders({
  pageSize = 100,
  atOnce = 5,
  after,
  totals = NONE,
}: RotateDueProvidersInput): Promise<RotateDueTotals> {
  const page = await operation('listDueRotations', STORE_OPTIONS, 'list due rotations')({ after, limit: pageSize });
  const counts = { ...totals, due: totals.due + page.length };
  // A workspace whose rotations take long does not keep the others of the page waiting.
  for (const found of await inTurns(page, atOnce, workspaceOf, rotateDue)) {
    for (const kind of found) counts[kind] += 1;
  }
  if (page.length < pageSize) return counts;
  return continueAsNew<typeof rotateDueProviders>({
    pageSize,
    atOnce,
    after: placeOf(page.at(-1)),
    totals: counts,
  });
}

function workspaceOf({ provider }: DueRotation): string {
  return provider.workspaceId;
}

function placeOf(last: ListedProvider | undefined): ListedProvider | undefined {
  return last && { provider: last.provider, turn: last.turn };
}

/** @returns the totals that the provider counts towards */
async function rotateDue({
  provider,
  version,
}: DueRotation): Promise<readonly Exclude<keyof RotateDueTotals, 'due'>[]> {
  const due = { provider, version };
  const who = `${due.provider.type}/${due.provider.name} for ${due.provider.workspaceId}`;
  try {
    const prepared = await operation('prepareDueRotation', SERVICE_OPTIONS, `prepare the rotation · ${who}`)(due);
    if (prepared.outcome === 'passed') return ['skipped'];
    if (prepared.outcome !== 'staged') {
      const { raised } = await operation('raiseOverdue', STORE_OPTIONS, `report as overdue · ${who}`)(due);
      return raised ? ['needPerson', 'overdue'] : ['needPerson'];
    }
    await executeChild(rotateProvider, {
      workflowId: rotationWorkflowId(due.provider),
      args: [{ rotationId: prepared.rotationId, provider: due.provider }],
      staticSummary: `rotate ${who}`,
      // A rotation that has begun continues to its end, whatever happens to this run.
      parentClosePolicy: ParentClosePolicy.ABANDON,
      cancellationType: ChildWorkflowCancellationType.ABANDON,
    });
    return ['rotated'];
  } catch (error) {
    if (isCancellation(error) && !(error instanceof ChildWorkflowFailure)) throw error;
    return [error instanceof WorkflowExecutionAlreadyStartedError ? 'skipped' : 'failed'];
  }
}
