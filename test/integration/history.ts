/** Reads what a workflow's history contains about its activities, as the Temporal UI shows it. */
import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { ActivityFailure, ApplicationFailure, defaultPayloadConverter } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';

type History = temporal.api.history.v1.IHistory;
type Failure = temporal.api.failure.v1.IFailure;

/** A failure as the server stores it. */
export interface KeptFailure {
  readonly type: string;
  readonly message: string;
  readonly nonRetryable: boolean;
  readonly nextRetryDelayMs?: number;
  readonly stack: string;
}

/** The summary line of each activity in the UI, in the order in which they were scheduled. */
export function summariesOf({ events }: History): string[] {
  return (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: scheduled, userMetadata }) =>
    scheduled && userMetadata?.summary ? [defaultPayloadConverter.fromPayload<string>(userMetadata.summary)] : [],
  );
}

export type Scheduled = temporal.api.history.v1.IActivityTaskScheduledEventAttributes;

/** The scheduling attributes of each activity, by its name. If it ran more than once, those of the last run. */
export function scheduledIn({ events }: History): Record<string, Scheduled> {
  const all = (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: scheduled }) => scheduled ?? []);
  return Object.fromEntries(all.map((scheduled) => [scheduled.activityType?.name, scheduled]));
}

/** The name of each activity, in the order in which they were scheduled. */
export function scheduledNames({ events }: History): string[] {
  return (events ?? []).flatMap(
    ({ activityTaskScheduledEventAttributes: scheduled }) => scheduled?.activityType?.name ?? [],
  );
}

/** For each activity that ended, the number of its attempts and the failure of the last but one. */
export function attemptsIn({ events }: History): { attempt: number; lastFailure: KeptFailure | undefined }[] {
  return (events ?? []).flatMap(({ activityTaskStartedEventAttributes: started }) =>
    started ? [{ attempt: started.attempt ?? 0, lastFailure: keptFailure(started.lastFailure) }] : [],
  );
}

function keptFailure(failure: Failure | null | undefined): KeptFailure | undefined {
  if (!failure) return undefined;
  const { type, nonRetryable, nextRetryDelay } = failure.applicationFailureInfo ?? {};
  return {
    type: type ?? '',
    message: failure.message ?? '',
    nonRetryable: nonRetryable ?? false,
    nextRetryDelayMs: nextRetryDelay ? Number(nextRetryDelay.seconds) * 1000 : undefined,
    stack: failure.stackTrace ?? '',
  };
}

/** The failures of activities that are being retried, from `describe`. */
export async function pendingFailuresOf(workflow: WorkflowHandle): Promise<KeptFailure[]> {
  const { raw } = await workflow.describe();
  return (raw.pendingActivities ?? []).flatMap(({ lastFailure }) => keptFailure(lastFailure) ?? []);
}

/** The names of a history's events, without their common prefix. */
export function eventsIn(history: History, names: Readonly<Record<number, string>>): string[] {
  return (history.events ?? []).map(({ eventType }) => names[eventType ?? 0]?.replace('EVENT_TYPE_', '') ?? '?');
}

/** The failure that an agent can catch: the one that the workflow failed with, without the wrapping of its activity. */
export async function failureOf(workflow: WorkflowHandle): Promise<ApplicationFailure> {
  const error: unknown = await workflow.result().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  const failure = error instanceof WorkflowFailedError ? error.cause : undefined;
  const cause = failure instanceof ActivityFailure ? failure.cause : failure;
  if (cause instanceof ApplicationFailure) return cause;
  throw new Error('the workflow did not fail with an activity failure');
}
