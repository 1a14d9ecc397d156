/**
 * Trouble to order: the next fitting call fails, or is held until it is released. What becomes of a call is decided
 * when it arrives, in the order of arrival; a held call that is also to fail fails when it is released.
 */
import { type Call, type CallMatch, fits } from './calls.js';

export interface Failure extends CallMatch {
  /** HTTP status; `cut` ends the connection unserved, `lost` serves the call and ends the connection without an answer. */
  readonly status: number | 'cut' | 'lost';
  /** JSON, or text as it is; a function gets the key that the call came with. Absent: the service's documented body. */
  readonly body?: string | object | ((key: string) => string | object);
  readonly headers?: Readonly<Record<string, string>>;
  /** How many calls fail. Default 1. */
  readonly times?: number;
}

export interface Hold {
  /** When the call has arrived and waits. */
  readonly arrived: Promise<Call>;
  /** Lets it go on; where it has not arrived yet, it will pass unhindered. */
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

  /** Returns what takes the order back. */
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

  /** Resolves when `call` may go on. */
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
