import { FAILURE_TYPES, type FailureType } from './failure-types.js';
import type { ProviderIdentity } from './references.js';

export interface ProviderErrorFacts {
  readonly provider?: ProviderIdentity;
  /** The names of the fields that do not fit, as paths: `config.baseURL`. */
  readonly fields?: readonly string[];
  /** When the service will answer again, in milliseconds from now, if it said so. */
  readonly retryAfterMs?: number;
}

/** The one error that the package throws outside of workflows. Match on `type`: `instanceof` fails across realms. */
export class ProviderError extends Error {
  override readonly name = 'ProviderError';

  constructor(
    readonly type: FailureType,
    message: string,
    readonly facts: ProviderErrorFacts = {},
  ) {
    super(message);
  }

  /** An input, config or secret that does not fit. @param rule - continues the field's name: `must be a chain id` */
  static configInvalid(field: string, rule: string, provider?: ProviderIdentity): ProviderError {
    return new ProviderError('ProviderConfigInvalid', `${field} ${rule}`, {
      fields: [field],
      ...(provider && { provider }),
    });
  }

  /** A setting that does not fit. @param rule - continues the setting's name: `is not set: …` */
  static setupInvalid(setting: string, rule: string): ProviderError {
    return new ProviderError('SetupInvalid', `${setting} ${rule}`, { fields: [setting] });
  }

  /** Whether Temporal retries an activity that fails with it. */
  get retryable(): boolean {
    return FAILURE_TYPES[this.type].retryable;
  }
}

/** Whether `error` is a {@link ProviderError}, of that type if one is given; also if it comes from another realm. */
export function isProviderError(error: unknown, type?: FailureType): error is ProviderError {
  if (!(error instanceof Error) || error.name !== 'ProviderError') return false;
  // Other libraries have a class of that name too.
  const found = (error as ProviderError).type;
  return Object.hasOwn(FAILURE_TYPES, found) && (type === undefined || found === type);
}
