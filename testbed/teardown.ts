/** Stops the parts of a test run in the reverse order of their start, also if a later part fails to start. */

export interface Part {
  stop(): Promise<unknown>;
}

export class Teardown {
  readonly #stops: (() => Promise<unknown>)[] = [];
  #running: Promise<void> | undefined;

  /** Registers a part once it has started, and returns it. */
  async use<Started extends Part>(starting: Promise<Started>): Promise<Started> {
    const part = await starting;
    this.defer(() => part.stop());
    return part;
  }

  /** Registers a function that stops something. */
  defer(stop: () => Promise<unknown>): void {
    if (!this.#running) this.#stops.push(stop);
    // Set-up has failed while this part was starting.
    else stop().catch(() => {});
  }

  /** If a part cannot be stopped, the others are stopped all the same. Idempotent. @throws the first error */
  run(): Promise<void> {
    this.#running ??= this.#stopAll();
    return this.#running;
  }

  async #stopAll(): Promise<void> {
    const errors: unknown[] = [];
    for (let stop = this.#stops.pop(); stop; stop = this.#stops.pop()) {
      await stop().catch((error: unknown) => errors.push(error));
    }
    if (errors.length > 0) throw errors[0];
  }
}

export interface TornDown {
  /** Stops everything that was started. Idempotent. */
  tearDown(): Promise<void>;
}

/** Builds a stage. If that fails, what was started is stopped. */
export async function setUp<Parts extends object>(
  build: (teardown: Teardown) => Promise<Parts>,
): Promise<Parts & TornDown> {
  const teardown = new Teardown();
  try {
    return Object.assign(await build(teardown), { tearDown: () => teardown.run() });
  } catch (error) {
    await teardown.run().catch(() => {});
    throw error;
  }
}
