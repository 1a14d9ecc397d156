/** The functions of `workspace-providers/workflow` without a workflow: each runs its activity at once, in this process. */
import { ActivityFailure, RetryState } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { ProviderActivities } from '../activities/provider-activities.js';
import { FAILURE_TYPES } from '../protocol/failure-types.js';
import { RPC_READ_METHODS } from '../protocol/steps.js';
import { optionalPackage } from '../providers/optional-package.js';
import { failureTypeOf } from '../workflows/failure-type.js';

type Name = keyof ProviderActivities;

/** What `workspace-providers/workflow` exports. */
export type WorkflowFunctions = typeof import('../workflow.js');

export function workflowFunctions(
  activities: ProviderActivities,
  interceptors: ActivityInterceptorsFactory[],
): WorkflowFunctions {
  const run = async (name: Name, input: unknown) => {
    const environment = new (testing().MockActivityEnvironment)({ activityType: name }, { interceptors });
    try {
      return await environment.run(activities[name] as (input: unknown) => Promise<unknown>, input);
    } catch (error) {
      const cause = error instanceof Error ? error : undefined;
      throw new ActivityFailure('Activity task failed', name, '1', RetryState.MAXIMUM_ATTEMPTS_REACHED, 'test', cause);
    }
  };
  const steps = Object.fromEntries(
    (Object.keys(activities) as Name[]).map((name) => [name, (input: unknown = {}) => run(name, input)]),
  );
  return { ...steps, failureTypeOf, FAILURE_TYPES, RPC_READ_METHODS } as unknown as WorkflowFunctions;
}

const testing = () =>
  optionalPackage<typeof import('@temporalio/testing')>('@temporalio/testing', () => require('@temporalio/testing'));
