/** A step that runs on and on: it makes requests, two at a time, and may have its credential revealed. */
import type { ProviderCall } from '../../../src/resolver/provider-call.js';
import type { ProviderResolver } from '../../../src/resolver/provider-resolver.js';
import { type Made, STEPPED, versionOf } from './service.js';

export const STEPPED_PROVIDER = { type: STEPPED.type, name: 'default' } as const;
/** Some faults need a request that ends while another one does not. */
const MOST_REQUESTS = 2;

type Call = ProviderCall<{ readonly apiKey: string }>;

export interface LongStepOptions {
  readonly resolver: ProviderResolver<[typeof STEPPED]>;
  readonly workspaceId: string;
  /** The first read of a process waits for the row of its worker. */
  readonly mayBegin: () => boolean;
  /** Runs what the schedule continues. Its failures are the caller's affair. */
  readonly during: (work: Promise<unknown>) => void;
  /** The newest version whose fence was reported. */
  readonly done: () => number;
  readonly onViolation: (what: string) => void;
}

export class LongStep {
  /** Whether the credential is being asked for by `reveal`. */
  isRevealing = false;
  #call: Call | undefined;
  #end = () => {};
  #requests = 0;
  #isBegun = false;
  #revealed = Number.POSITIVE_INFINITY;

  constructor(private readonly options: LongStepOptions) {}

  /** The version that the step was shown, if it was and runs. */
  get revealed(): number {
    return this.#revealed;
  }

  actions(): Map<string, () => void> {
    const actions = new Map<string, () => void>();
    const call = this.#call;
    if (!this.#isBegun && this.options.mayBegin()) actions.set('a step begins', () => this.#begin());
    if (!call) return actions;
    if (this.#requests < MOST_REQUESTS) actions.set('the step makes a request', () => this.#request(call));
    if (this.#revealed === Number.POSITIVE_INFINITY)
      actions.set('the step has its credential revealed', () => this.#reveal(call));
    actions.set('the step ends', () => {
      this.#end();
      this.#call = undefined;
      this.#revealed = Number.POSITIVE_INFINITY;
    });
    return actions;
  }

  #begin(): void {
    this.#isBegun = true;
    this.options.during(this.#run().finally(() => (this.#isBegun = false)));
  }

  async #run(): Promise<void> {
    const { resolver, workspaceId } = this.options;
    const reference = await resolver.resolveProvider({ workspaceId, ...STEPPED_PROVIDER });
    await resolver.withProvider(reference, (call) => {
      this.#call = call;
      return new Promise<void>((end) => (this.#end = end));
    });
  }

  #request({ fetch }: Call): void {
    this.#requests += 1;
    // What fails is not sent, which breaks nothing.
    void fetch('/', { made: { done: this.options.done() } satisfies Made } as RequestInit)
      .catch(() => {})
      .finally(() => (this.#requests -= 1));
  }

  #reveal(call: Call): void {
    const floor = this.options.done();
    this.isRevealing = true;
    const revealing = call.reveal();
    this.isRevealing = false;
    const seen = ({ apiKey }: { readonly apiKey: string }) => {
      const version = versionOf(apiKey);
      if (version < floor) this.options.onViolation(`version ${version} was revealed, and ${floor} was done`);
      if (this.#call !== call) this.options.onViolation('a credential was revealed to a step that had ended');
      this.#revealed = version;
    };
    void revealing.then(seen, () => {});
  }
}
