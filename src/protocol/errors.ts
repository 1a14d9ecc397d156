import { FAILURE_TYPES, type FailureType } from './failure-types.js';
import type { ProviderIdentity } from './references.js';
import type { Revert } from './simulations.js';

export interface ProviderErrorFacts {
  readonly provider?: ProviderIdentity;
  /** The paths of the fields that are not valid: `config.baseURL`. */
  readonly fields?: readonly string[];
  /** The lines of an import that do not fit. */
  readonly lines?: readonly LineProblem[];
  /** How long to wait before the next request to the service, in milliseconds, if the service set such a time. */
  readonly retryAfterMs?: number;
  /** Whether only this endpoint of the chain lacks what the request asks for, so that another one may have it. */
  readonly isOfEndpoint?: boolean;
  /** Why the execution reverted. */
  readonly revert?: Revert;
  /** Whether the cause ends by itself, so that trying again helps although the type is final. */
  readonly isPassing?: boolean;
  /** Whether the database cannot prove what is current: it is a standby, or a trigger or policy is not in force. */
  readonly isUnguarded?: boolean;
  /** When an activity stops trying again, although the type is not final, and with which error it then fails. @internal */
  readonly givesUp?: { readonly afterAttempts: number; readonly with: ProviderError };
}

/** Why a line of an import does not fit. */
export interface LineProblem {
  /** Counted from 1. In a list of providers, the place in the list. */
  readonly line: number;
  /** The paths of the fields that are not valid: `config.baseURL`. Empty if it is the whole line. */
  readonly fields: readonly string[];
  /** Fixed text and names. */
  readonly message: string;
}

/** The only error that this package throws outside of workflows. Match on `type`: `instanceof` fails across realms. */
export class ProviderError extends Error {
  override readonly name = 'ProviderError';

  constructor(
    readonly type: FailureType,
    message: string,
    readonly facts: ProviderErrorFacts = {},
  ) {
    super(message);
  }

  /** An error about an input, config or secret. @param rule - follows the field's name: `must be a chain id` */
  static configInvalid(field: string, rule: string, provider?: ProviderIdentity): ProviderError {
    return new ProviderError('ProviderConfigInvalid', `${field} ${rule}`, {
      fields: [field],
      ...(provider && { provider }),
    });
  }

  /** An error about a setting. @param rule - follows the setting's name: `is not set: …` */
  static setupInvalid(setting: string, rule: string): ProviderError {
    return new ProviderError('SetupInvalid', `${setting} ${rule}`, { fields: [setting] });
  }

  /** Whether Temporal retries an activity that fails with this error. */
  get retryable(): boolean {
    return FAILURE_TYPES[this.type].retryable || this.facts.isPassing === true;
  }
}

/** Whether `error` is a {@link ProviderError}, and has this type if one is given. Works across realms. */
export function isProviderError(error: unknown, type?: FailureType): error is ProviderError {
  if (!(error instanceof Error) || error.name !== 'ProviderError') return false;
  // Other libraries may have a class with the same name.
  const found = (error as ProviderError).type;
  return Object.hasOwn(FAILURE_TYPES, found) && (type === undefined || found === type);
}
