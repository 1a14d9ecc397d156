/** How the steps' activities are scheduled: their timeouts and retries, each of which a caller may override. */
import { type ActivityOptions, proxyActivities } from '@temporalio/workflow';
import type { ProviderActivities } from '../../activities/provider-activities.js';

/** The activity options that a caller may override: Temporal's `ActivityOptions`. `retry` is merged field by field. */
export type StepOptions = ActivityOptions;

/**
 * A resolve is a map look-up or one query. It is retried until Postgres is back: an outage of the store delays
 * workflows and does not fail them.
 */
export const RESOLVE_OPTIONS = {
  // Longer than the store's own timeouts, so that an outage is reported as one.
  startToCloseTimeout: '20 seconds',
  retry: { initialInterval: '200 ms', backoffCoefficient: 2, maximumInterval: '15 seconds' },
} satisfies StepOptions;

/** A model may think for minutes. If its worker dies meanwhile, the missing heartbeat reveals it within 30 seconds. */
export const LLM_OPTIONS = {
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: '30 seconds',
  scheduleToCloseTimeout: '2 hours',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute' },
} satisfies StepOptions;

/** A simulation or a read of a chain takes seconds. */
export const CHAIN_OPTIONS = {
  startToCloseTimeout: '1 minute',
  heartbeatTimeout: '15 seconds',
  scheduleToCloseTimeout: '1 hour',
  retry: { initialInterval: '500 ms', backoffCoefficient: 2, maximumInterval: '30 seconds' },
} satisfies StepOptions;

/** The activity with its default options, its summary for the Temporal UI, and the caller's overrides. */
export function scheduled<Name extends keyof ProviderActivities>(
  name: Name,
  defaults: StepOptions,
  summary: string,
  options: StepOptions = {},
) {
  const retry = { ...defaults.retry, ...options.retry };
  return proxyActivities<ProviderActivities>({ ...defaults, summary, ...options, retry })[name];
}
