/** Errors of the code in a definition of a provider type. Their own text may have the secret in it. */
import { isProviderError, ProviderError } from '../protocol/errors.js';
import type { AnyProviderType } from './type.js';

/** @throws ProviderError `SetupInvalid` in place of an error of the definition */
export function made<Result>(type: AnyProviderType, member: string, make: () => Result): Result {
  try {
    return make();
  } catch (error) {
    if (isProviderError(error)) throw error;
    throw badType(type, member, 'threw an error');
  }
}

export function badType({ type }: AnyProviderType, member: string, rule: string): ProviderError {
  return ProviderError.setupInvalid(`${member} of the provider type ${type}`, rule);
}
