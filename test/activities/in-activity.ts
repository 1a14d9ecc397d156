/** Runs activities in Temporal's context for them, without server and worker. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { type ActivityInterceptorsFactory, DefaultLogger } from '@temporalio/worker';

/** @param info - what the activity is told of itself, as its attempt. Failures are not logged: they are expected. */
export function inActivity(
  info: ConstructorParameters<typeof MockActivityEnvironment>[0] = {},
  interceptors: ActivityInterceptorsFactory[] = [],
): MockActivityEnvironment {
  return new MockActivityEnvironment(info, { interceptors, logger: new DefaultLogger('ERROR', () => {}) });
}
