/** Records every result and error that callers in this process get, including the hidden properties of errors. */
import { inspect } from 'node:util';

const EVERYTHING = { depth: 5, showHidden: true, maxStringLength: null, maxArrayLength: null } as const;

export class Told {
  readonly #texts: string[] = [];
  #errors = 0;

  get text(): string {
    return this.#texts.join('\n');
  }

  get errors(): number {
    return this.#errors;
  }

  async result(what: string, promise: Promise<unknown>): Promise<void> {
    try {
      this.#texts.push(`${what}: ${inspect(await promise, EVERYTHING)}`);
    } catch (error) {
      this.error(what, error);
    }
  }

  error(what: string, error: unknown): void {
    this.#errors += 1;
    const { stack = '', cause } = error as Error;
    this.#texts.push(`${what}: ${error} ${stack} ${inspect(error, EVERYTHING)} ${inspect(cause, EVERYTHING)}`);
  }
}
