/** Runs activities in Temporal's activity context, without a server or a worker. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { type ActivityInterceptorsFactory, DefaultLogger } from '@temporalio/worker';

/** @param info - the activity's own info, such as its attempt. Failures are expected, so they are not logged. */
export function inActivity(
  info: ConstructorParameters<typeof MockActivityEnvironment>[0] = {},
  interceptors: ActivityInterceptorsFactory[] = [],
): MockActivityEnvironment {
  return new MockActivityEnvironment(info, { interceptors, logger: new DefaultLogger('ERROR', () => {}) });
}
