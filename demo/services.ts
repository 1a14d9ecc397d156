import type { ProviderIdentity } from '../src/protocol/references.js';
import type { Call } from '../testbed/standins/calls.js';
import type { Hold } from '../testbed/standins/controls.js';

export interface DemoProvider extends ProviderIdentity {
  readonly config: Readonly<Record<string, unknown>>;
  readonly secret: Readonly<Record<string, unknown>>;
}

export interface DemoQuestion {
  readonly workspaceId: string;
  /** The LLM provider that is to answer. */
  readonly provider: string;
  readonly question: string;
  /** What it is asked about. */
  readonly address: string;
}

export interface DemoRotation {
  readonly provider: ProviderIdentity;
  /** The service takes it already. */
  readonly next: Readonly<Record<string, unknown>>;
  /** Another question to that provider's model. */
  readonly question: DemoQuestion;
  /** How many questions came to the model with the older key at that moment, ISO 8601, or later. */
  countWithOlderKeySince(moment: string): number;
  /** Asks the service itself with the older key. */
  isOlderKeyRefused(): Promise<boolean>;
}

export interface DemoServices {
  readonly title: string;
  readonly providers: readonly DemoProvider[];
  readonly questions: readonly DemoQuestion[];
  readonly chainId: number;
  /** Every secret in the clear: what must stand in no history. */
  readonly secrets: readonly string[];
  /** What the services recorded; absent where they are the real ones. */
  readonly record?: {
    calls(): readonly Call[];
    /** Holds the next model call of the first question at the service; called twice, the one after it too. */
    holdFirstQuestion(): Hold;
  };
  /** The key of the first question's provider and what replaces it; absent where the services are the real ones. */
  readonly rotation?: DemoRotation;
  stop(): Promise<void>;
}
