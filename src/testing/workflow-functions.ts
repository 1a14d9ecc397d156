/** The functions of `workspace-providers/workflow` without a workflow: each runs its activity at once, in this process. */
import { ActivityFailure, RetryState } from '@temporalio/common';
import { type ActivityInterceptorsFactory, DefaultLogger } from '@temporalio/worker';
import type { ProviderActivities } from '../activities/provider-activities.js';
import { FAILURE_TYPES } from '../protocol/failure-types.js';
import { isRpcReadMethod } from '../protocol/rpc-methods.js';
import { optionalPackage } from '../providers/optional-package.js';
import type * as steps from '../workflows/agent/steps.js';
import { failureTypeOf, revertOf } from '../workflows/failure-type.js';

type Name = keyof ProviderActivities;

/** As long as a step of a model has. The environment's own default is a second. */
const STEP_MS = 600_000;

/** What fails is thrown. */
const SILENT = new DefaultLogger('ERROR', () => {});

/** What `workspace-providers/workflow` exports. */
export interface WorkflowFunctions {
  readonly resolveProvider: typeof steps.resolveProvider;
  readonly resolveLlmKey: typeof steps.resolveLlmKey;
  readonly resolveTenderlyConfig: typeof steps.resolveTenderlyConfig;
  readonly resolveRpcEndpoint: typeof steps.resolveRpcEndpoint;
  readonly llmStep: typeof steps.llmStep;
  readonly tenderlyStep: typeof steps.tenderlyStep;
  readonly rpcStep: typeof steps.rpcStep;
  readonly failureTypeOf: typeof failureTypeOf;
  readonly FAILURE_TYPES: typeof FAILURE_TYPES;
  readonly revertOf: typeof revertOf;
  readonly isRpcReadMethod: typeof isRpcReadMethod;
}

export function workflowFunctions(
  activities: ProviderActivities,
  interceptors: ActivityInterceptorsFactory[],
): WorkflowFunctions {
  const run = async (name: Name, input: unknown) => {
    const environment = new (testing().MockActivityEnvironment)(
      { activityType: name, startToCloseTimeoutMs: STEP_MS },
      { interceptors, logger: SILENT },
    );
    try {
      return await environment.run(activities[name] as (input: unknown) => Promise<unknown>, input);
    } catch (error) {
      const cause = error instanceof Error ? error : undefined;
      throw new ActivityFailure('Activity task failed', name, '1', RetryState.MAXIMUM_ATTEMPTS_REACHED, 'test', cause);
    }
  };
  const functions = Object.fromEntries(
    (Object.keys(activities) as Name[]).map((name) => [name, (input: unknown = {}) => run(name, input)]),
  );
  return { ...functions, failureTypeOf, revertOf, FAILURE_TYPES, isRpcReadMethod } as unknown as WorkflowFunctions;
}

const testing = () =>
  optionalPackage<typeof import('@temporalio/testing')>('@temporalio/testing', () => require('@temporalio/testing'));
