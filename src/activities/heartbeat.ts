import { Context } from '@temporalio/activity';
import { atTheEdge } from './failures.js';

/** An activity of ours that is missed soon where its process is killed: failures mapped, heartbeats sent. */
export function alive<Result>(run: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  return atTheEdge(() => withHeartbeat(run));
}

/**
 * Tells Temporal that a step is alive, three times in each heartbeat timeout, until it ends; that is also how a
 * cancellation reaches it. Without a heartbeat timeout nothing is sent.
 */
export async function withHeartbeat<Result>(run: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const context = Context.current();
  const timeoutMs = context.info.heartbeatTimeoutMs;
  const timer = timeoutMs ? setInterval(() => context.heartbeat(), timeoutMs / 3) : undefined;
  try {
    return await run(context.cancellationSignal);
  } finally {
    clearInterval(timer);
  }
}
