/** Why a rotation's workflow failed, as an error of ours: under Temporal's wrapping is what our activities said. */
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { FAILURE_TYPES, type FailureType, ProviderError } from '../protocol/errors.js';
import type { RotationStatus } from '../protocol/rotation.js';

/**
 * @param status - its last; absent: nobody could be asked
 * @returns nothing where it has not failed: Temporal went away meanwhile
 */
export function rotationFailure(
  error: unknown,
  workflowId: string,
  status: RotationStatus | undefined,
): ProviderError | undefined {
  if (!(error instanceof WorkflowFailedError)) return undefined;
  const cause = innermost(error);
  const isOurs = cause instanceof ApplicationFailure && cause.type && Object.hasOwn(FAILURE_TYPES, cause.type);
  const type = isOurs ? (cause.type as FailureType) : 'RotationFailed';
  const what = isOurs ? cause.message : `workflow ${workflowId} was broken off: see it in the Temporal UI`;
  return new ProviderError(type, `${what}; ${whatIsLeft(status)}`);
}

function innermost(error: Error): unknown {
  for (let link: unknown = error; ; link = (link as Error).cause) {
    if (!(link instanceof Error) || link.cause === undefined || link instanceof ApplicationFailure) return link;
  }
}

function whatIsLeft(status: RotationStatus | undefined): string {
  if (!status) return 'see `rotations` for what was changed';
  const { toVersion } = status;
  if (toVersion === undefined) return 'nothing was changed';
  return `version ${toVersion} is served, and the older credential may still be valid at its service`;
}
