/**
 * Follows a rotation to its end, for whoever started it or turned it back. The rotation does not need that: Ctrl-C ends
 * the following, and nothing else.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { RotationHandle } from '../client/rotation-client.js';
import { EXIT } from '../protocol/exit-codes.js';
import type { ProviderIdentity } from '../protocol/identity.js';
import { ROTATION_STATUS, type RotationStatus } from '../protocol/rotation.js';
import { interruptible } from './interruptible.js';
import type { Output } from './output.js';
import { rotationFailure } from './rotation-failure.js';
import { RotationView, SILENCE_MS } from './rotation-view.js';

/** Between two looks: the stages pass in milliseconds, an overlap in hours. */
const LOOK_MS = 150;
const LOOK_AT_OVERLAP_MS = 3_000;
/** A query waits for a worker; one that is there answers sooner. */
const ANSWER_TIMEOUT_MS = 3_000;

export interface Following {
  readonly temporal: Client;
  readonly output: Output;
  readonly provider: ProviderIdentity;
}

/** Tells its stages as they are passed, and what it proved; sets how the command ends. */
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
  return `the rotation goes on: see workspace-providers rotations ${workspaceId}`;
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

/** `undefined`: nobody answers. */
async function askStatus(
  handle: RotationHandle,
  temporal: Client,
  signal: AbortSignal,
): Promise<RotationStatus | undefined> {
  try {
    return await temporal.withDeadline(Date.now() + ANSWER_TIMEOUT_MS, () =>
      // A signal of its own each time: Temporal's client leaves its listener on it.
      temporal.withAbortSignal(AbortSignal.any([signal]), () => handle.query<RotationStatus, []>(ROTATION_STATUS)),
    );
  } catch {
    return undefined;
  }
}
