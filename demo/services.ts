import type { ProviderIdentity } from '../src/protocol/references.js';
import type { Call } from '../src/testing/services/calls.js';
import type { Hold } from '../src/testing/services/controls.js';

export interface DemoProvider extends ProviderIdentity {
  readonly config: Readonly<Record<string, unknown>>;
  readonly secret: Readonly<Record<string, unknown>>;
}

export interface DemoQuestion {
  readonly workspaceId: string;
  /** The LLM provider that answers. */
  readonly provider: string;
  readonly question: string;
  /** The address that the question is about. */
  readonly address: string;
}

export interface DemoRotation {
  readonly provider: ProviderIdentity;
  /** The next credential, which the service already accepts. */
  readonly next: Readonly<Record<string, unknown>>;
  /** Another question to that provider's model. */
  readonly question: DemoQuestion;
  /** The number of questions that came to the model with the older key at that time (ISO 8601) or later. */
  countWithOlderKeySince(moment: string): number;
  /** Asks the service directly, with the older key. */
  isOlderKeyRefused(): Promise<boolean>;
}

export interface DemoServices {
  readonly title: string;
  readonly providers: readonly DemoProvider[];
  readonly questions: readonly DemoQuestion[];
  readonly chainId: number;
  /** Every secret in plaintext, which no history may contain. */
  readonly secrets: readonly string[];
  /** What the services recorded; absent if they are the real ones. */
  readonly record?: {
    calls(): readonly Call[];
    /** Makes the service hold the next model call of the first question. If called twice, also the call after it. */
    holdFirstQuestion(): Hold;
  };
  /** The rotation of the first question's provider; absent if the services are the real ones. */
  readonly rotation?: DemoRotation;
}
