/** Runs activities in Temporal's activity context, without a server or a worker. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { type ActivityInterceptorsFactory, DefaultLogger } from '@temporalio/worker';

/** @param info - the activity's own info, such as its attempt. Failures are expected, so they are not logged. */
export function inActivity(
  info: ConstructorParameters<typeof MockActivityEnvironment>[0] = {},
  interceptors: ActivityInterceptorsFactory[] = [],
): MockActivityEnvironment {
  // The environment's own default is a second, and a step ends itself before its time does.
  return new MockActivityEnvironment(
    { startToCloseTimeoutMs: 600_000, ...info },
    { interceptors, logger: new DefaultLogger('ERROR', () => {}) },
  );
}
