/**
 * A wait that Ctrl-C ends without harm: what was begun is done, or goes on elsewhere. A second Ctrl-C ends the process,
 * as ever.
 */
export async function interruptible<Result>(wait: (signal: AbortSignal) => Result | Promise<Result>): Promise<Result> {
  const interruption = new AbortController();
  const interrupt = () => interruption.abort();
  process.once('SIGINT', interrupt);
  try {
    return await wait(interruption.signal);
  } finally {
    process.off('SIGINT', interrupt);
  }
}
