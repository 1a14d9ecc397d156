/** The activities of `encrypted-workflows.ts`. */
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';

export const activities = {
  async echo(text: string): Promise<string> {
    return text;
  },
  /** Fails with a heartbeat, and returns it in the next attempt. */
  async beat(text: string): Promise<string> {
    const { heartbeatDetails } = Context.current().info;
    if (heartbeatDetails !== undefined) return heartbeatDetails;
    Context.current().heartbeat(text);
    throw ApplicationFailure.retryable('again', 'Again');
  },
  async fail(text: string): Promise<never> {
    throw ApplicationFailure.nonRetryable(text, 'Expected', { text });
  },
};
