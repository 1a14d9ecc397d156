/** What a demo plays against: stand-ins of the services, or the services themselves. */
import type { ProviderIdentity } from '../../protocol/identity.js';
import type { Call } from '../standins/calls.js';
import type { Hold } from '../standins/controls.js';

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
    /** Holds the next model call of the first question at the service. */
    holdFirstQuestion(): Hold;
  };
  stop(): Promise<void>;
}
