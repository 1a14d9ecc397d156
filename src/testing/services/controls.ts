/**
 * Failures and holds on request: the next call that fits fails, or is held until it is released. That is decided when a
 * call arrives, in the order of arrival. A call that is to be held and to fail fails when it is released.
 */
import { type Call, type CallMatch, fits } from './calls.js';

export interface Failure extends CallMatch {
  /** HTTP status. `cut` ends the connection at once; `lost` serves the call, and ends the connection unanswered. */
  readonly status: number | 'cut' | 'lost';
  /** An object is sent as JSON; a function gets the call's key. Default: the service's documented body. */
  readonly body?: string | object | ((key: string) => string | object);
  readonly headers?: Readonly<Record<string, string>>;
  /** The number of calls that fail. Default: 1. */
  readonly times?: number;
}

export interface Hold {
  /** Resolves when the call has arrived and waits. */
  readonly arrived: Promise<Call>;
  /** Lets the call continue. A call that has not arrived yet will not be held. */
  release(): void;
}

interface HoldOrder {
  readonly match: CallMatch;
  readonly arrive: (call: Call) => void;
  readonly released: Promise<void>;
}

export class Controls {
  readonly #failures = new Set<{ readonly failure: Failure; left: number }>();
  readonly #holds = new Set<HoldOrder>();

  /** Returns a function that cancels the failure. */
  failNext(failure: Failure): () => void {
    const order = { failure, left: failure.times ?? 1 };
    this.#failures.add(order);
    return () => void this.#failures.delete(order);
  }

  holdNext(match: CallMatch = {}): Hold {
    const [arrived, arrive] = promise<Call>();
    const [released, release] = promise<void>();
    const order = { match, arrive, released };
    this.#holds.add(order);
    return {
      arrived,
      release: () => {
        this.#holds.delete(order);
        release();
      },
    };
  }

  takeFailure(call: Call, body: string): Failure | undefined {
    for (const order of this.#failures) {
      if (!fits(order.failure, call, body)) continue;
      order.left -= 1;
      if (order.left <= 0) this.#failures.delete(order);
      return order.failure;
    }
    return undefined;
  }

  /** Resolves when `call` may continue. */
  async pass(call: Call, body: string): Promise<void> {
    for (const order of this.#holds) {
      if (!fits(order.match, call, body)) continue;
      this.#holds.delete(order);
      order.arrive({ ...call });
      return order.released;
    }
  }
}

function promise<Value>(): [Promise<Value>, (value: Value) => void] {
  let settle: (value: Value) => void = () => {};
  return [new Promise<Value>((resolve) => (settle = resolve)), settle];
}
