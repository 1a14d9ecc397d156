/**
 * Bounds the chain of an error's causes. Temporal nests one message per cause, takes at most a hundred levels, and ends
 * the process that sends more; an error that is its own cause has no end.
 */

/** Longer than any library nests errors. */
const MAX_CAUSES = 20;

/** The error itself if its chain is short; otherwise a copy with its first 20 causes. Never changes the given error. */
export function withBoundedCauses(error: unknown): unknown {
  const chain: object[] = [];
  for (let link = error; typeof link === 'object' && link !== null; link = causeOf(link)) {
    if (chain.length > MAX_CAUSES) return chain.reduceRight<object | undefined>(copyWithCause, undefined);
    chain.push(link);
  }
  return error;
}

/** Keeps the class, so that code which matches on it still works. */
function copyWithCause(cause: object | undefined, error: object): object {
  const own: PropertyDescriptorMap = Object.getOwnPropertyDescriptors(error);
  const changed = { value: undefined, configurable: true, writable: true, enumerable: false };
  own.cause = { ...changed, value: cause };
  // The form in which a failure came from Temporal, with all its causes: the SDK would send it again, unchanged.
  if ('failure' in error) own.failure = changed;
  return Object.create(Object.getPrototypeOf(error), own) as object;
}

function causeOf(error: object): unknown {
  try {
    return (error as { readonly cause?: unknown }).cause;
  } catch {
    return undefined;
  }
}
