/**
 * What happens in a process is reported here, once. Telemetry, and the audit of what does not open, listen. While nobody
 * listens, a report costs one comparison. No code depends on a listener: what a listener throws is dropped.
 */
import { isProviderError } from '../protocol/errors.js';
import type { BegunWork, EndedWork, Happening, ObservedFailure, WorkName, Works } from './observed.js';

/** A listener's view of work that is under way. */
export interface WatchedWork {
  /** Calls `run` once, in a context of the listener, such as that of a span, and returns its result. */
  within<Result>(run: () => Result): Result;
}

/** Each method is called synchronously, so it must be quick. What it throws is dropped. */
export interface Listener {
  readonly happened?: (happening: Happening) => void;
  /** Work begins. It may return a context for the work. */
  readonly begins?: (work: BegunWork) => WatchedWork | undefined;
  /** Work has ended. `watched` is what `begins` returned. */
  readonly ends?: (work: EndedWork, watched: WatchedWork | undefined) => void;
}

export class Observer {
  /** For code that runs without an observer. Nobody can listen to it. */
  static readonly none: Pick<Observer, 'report' | 'during'> = {
    report: () => {},
    during: (_work, _begun, run) => run(),
  };

  /** `undefined` if nobody listens, because that is quick to find out. */
  #listeners: readonly Listener[] | undefined;

  /** @returns what ends it */
  listen(listener: Listener): () => void {
    this.#listeners = [...(this.#listeners ?? []), listener];
    return () => {
      const others = this.#listeners?.filter((each) => each !== listener) ?? [];
      this.#listeners = others.length > 0 ? others : undefined;
    };
  }

  report(happening: Happening): void {
    for (const { happened } of this.#listeners ?? []) guarded(() => happened?.(happening));
  }

  /**
   * Runs work, and reports its beginning and its end.
   *
   * @param endedOf - what the listeners are told about the result
   */
  during<Name extends WorkName, Result>(
    work: Name,
    begun: Works[Name]['begun'],
    run: () => Promise<Result>,
    endedOf: (result: Result) => Works[Name]['ended'],
  ): Promise<Result> {
    const listeners = this.#listeners;
    return listeners === undefined ? run() : watch(listeners, { work, begun } as BegunWork, run, endedOf);
  }
}

/** What code that reports needs of an observer. */
export type Reporter = Pick<Observer, 'report' | 'during'>;

async function watch<Result>(
  listeners: readonly Listener[],
  begun: BegunWork,
  run: () => Promise<Result>,
  endedOf: (result: Result) => object,
): Promise<Result> {
  const startMs = performance.now();
  const watches = listeners.map((listener) => ({ listener, watched: guarded(() => listener.begins?.(begun)) }));
  const end = (outcome: object) => {
    const ended = { ...begun, tookMs: performance.now() - startMs, ...outcome } as EndedWork;
    for (const { listener, watched } of watches) guarded(() => listener.ends?.(ended, watched));
  };
  try {
    const result = await watches.reduceRight(
      (inner, { watched }) =>
        () =>
          within(watched, inner),
      run,
    )();
    end({ ended: guarded(() => endedOf(result)) });
    return result;
  } catch (error) {
    end({ failure: failureOf(error) });
    throw error;
  }
}

/** Work runs once, whatever the listener does. */
function within<Result>(watched: WatchedWork | undefined, run: () => Promise<Result>): Promise<Result> {
  if (watched === undefined) return run();
  let result: Promise<Result> | undefined;
  const once = () => {
    result ??= run();
    return result;
  };
  void guarded(() => watched.within(once));
  return once();
}

function failureOf(error: unknown): ObservedFailure {
  if (isProviderError(error)) return error.type;
  return error instanceof Error && error.name === 'AbortError' ? 'aborted' : 'failed';
}

function guarded<Result>(listen: () => Result): Result | undefined {
  try {
    return listen();
  } catch {
    return undefined;
  }
}
