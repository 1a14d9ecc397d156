/**
 * Follows a rotation to its end, for the command that started it or rolled it back. The rotation does not depend on
 * that: Ctrl-C ends only the following.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type Client, WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { RotationHandle } from '../client/rotation-client.js';
import { ProviderError } from '../protocol/errors.js';
import { FAILURE_TYPES, type FailureType } from '../protocol/failure-types.js';
import type { ProviderIdentity } from '../protocol/references.js';
import { mayStillBeValid, ROTATION_STATUS, type RotationStatus } from '../protocol/rotation.js';
import { EXIT } from './exit-codes.js';
import { interruptible } from './terminal/live-view.js';
import type { Output } from './terminal/output.js';
import { RotationView, SILENCE_MS } from './terminal/rotation-view.js';

/** The time between two queries. A stage takes milliseconds, an overlap hours. */
const LOOK_MS = 150;
const LOOK_AT_OVERLAP_MS = 3_000;
/** A query waits for a worker. A running worker answers sooner than this. */
const ANSWER_TIMEOUT_MS = 3_000;

export interface Following {
  readonly temporal: Client;
  readonly output: Output;
  readonly provider: ProviderIdentity;
}

/** Prints the stages as they pass, and what the rotation proved. Sets the command's exit code. */
export async function followRotation(handle: RotationHandle, { temporal, output, provider }: Following): Promise<void> {
  const view = new RotationView(output);
  const ask = (signal: AbortSignal) => askStatus(handle, temporal, signal);
  const end = await interruptible((signal) => watch(handle, ask, view, signal));
  if (end === 'interrupted') {
    view.end();
    output.exitCode = EXIT.interrupted;
    if (output.json) output.result(view.status ?? { provider, workflowId: handle.workflowId }, []);
    output.note(goesOn(provider));
    return;
  }
  if ('status' in end) {
    view.end(end.status);
    if (output.json) output.result(end.status, []);
    return;
  }
  const status = (await ask(AbortSignal.timeout(ANSWER_TIMEOUT_MS))) ?? view.status;
  view.end(status);
  const failure = rotationFailure(end.error, handle.workflowId, status);
  if (!failure) {
    output.note(goesOn(provider));
    throw end.error;
  }
  const code = output.failure(failure, status);
  output.exitCode = status?.toVersion === undefined ? code : EXIT.unfinished;
}

function goesOn({ workspaceId }: ProviderIdentity): string {
  return `the rotation continues: workspace-providers rotations ${workspaceId} shows how it ends`;
}

type End = 'interrupted' | { readonly status: RotationStatus } | { readonly error: unknown };

async function watch(
  handle: RotationHandle,
  ask: (signal: AbortSignal) => Promise<RotationStatus | undefined>,
  view: RotationView,
  interruption: AbortSignal,
): Promise<End> {
  const ended = handle.result().then(
    (status): End => ({ status }),
    (error: unknown): End => ({ error }),
  );
  const interrupted = new Promise<End>((resolve) => {
    interruption.addEventListener('abort', () => resolve('interrupted'));
  });
  const looking = new AbortController();
  const looks = look(ask, view, looking.signal);
  try {
    return await Promise.race([ended, interrupted]);
  } finally {
    looking.abort();
    await looks;
  }
}

async function look(
  ask: (signal: AbortSignal) => Promise<RotationStatus | undefined>,
  view: RotationView,
  signal: AbortSignal,
): Promise<void> {
  let heardMs = performance.now();
  while (!signal.aborted) {
    const status = await ask(signal);
    if (signal.aborted) return;
    if (status) {
      heardMs = performance.now();
      view.show(status);
    } else if (performance.now() - heardMs > SILENCE_MS) view.tellSilence();
    await delay(status?.overlapUntil ? LOOK_AT_OVERLAP_MS : LOOK_MS, undefined, { signal }).catch(() => {});
  }
}

/** @returns `undefined` if no worker answers */
async function askStatus(
  handle: RotationHandle,
  temporal: Client,
  signal: AbortSignal,
): Promise<RotationStatus | undefined> {
  try {
    return await temporal.withDeadline(Date.now() + ANSWER_TIMEOUT_MS, () =>
      // A new signal per query, because Temporal's client leaves its listener on it.
      temporal.withAbortSignal(AbortSignal.any([signal]), () => handle.query<RotationStatus, []>(ROTATION_STATUS)),
    );
  } catch {
    return undefined;
  }
}

/**
 * Why a rotation's workflow failed, as a ProviderError. What its activities reported is read from beneath Temporal's
 * wrapping.
 *
 * @param status - the last status; absent if no worker answered
 * @returns `undefined` if the workflow has not failed: then Temporal is unavailable
 */
function rotationFailure(
  error: unknown,
  workflowId: string,
  status: RotationStatus | undefined,
): ProviderError | undefined {
  if (!(error instanceof WorkflowFailedError)) return undefined;
  const cause = innermost(error);
  const isOurs = cause instanceof ApplicationFailure && cause.type && Object.hasOwn(FAILURE_TYPES, cause.type);
  const type = isOurs ? (cause.type as FailureType) : 'RotationFailed';
  const what = isOurs ? cause.message : `workflow ${workflowId} did not complete: see it in the Temporal UI`;
  return new ProviderError(type, `${what}; ${whatIsLeft(status)}`);
}

function innermost(error: Error): unknown {
  for (let link: unknown = error; ; link = (link as Error).cause) {
    if (!(link instanceof Error) || link.cause === undefined || link instanceof ApplicationFailure) return link;
  }
}

function whatIsLeft(status: RotationStatus | undefined): string {
  if (!status) return 'run `rotations` to see what was changed';
  const { fromVersion, toVersion, rollingBack, fencedAt } = status;
  if (toVersion === undefined) return 'nothing was changed';
  const which = rollingBack ? `version ${toVersion}, which has the older credential,` : `version ${toVersion}`;
  const fence = fencedAt ? '' : `, but some workers may still serve version ${fromVersion}`;
  return `${which} is active${fence}; ${mayStillBeValid(rollingBack)}`;
}
