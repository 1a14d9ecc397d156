/**
 * Applies an update to a provider: the given fields replace the stored ones. A secret is sent to its provider's
 * destination, so a caller who changes the destination must know the secret. Otherwise an editor who may not see a key
 * could have it sent to a host of their choice.
 */

import { isDeepStrictEqual } from 'node:util';
import { isProviderError, ProviderError } from '../protocol/errors.js';
import { describeProvider } from '../protocol/names.js';
import type { ProviderIdentity } from '../protocol/references.js';
import type { ParsedProvider } from '../providers/parse-provider.js';
import type { ProviderTypes } from '../providers/provider-types.js';
import { unmask } from './masking.js';
import type { SecretFields } from './secret-vault.js';

/** An absent field stays, a field that is null is removed, and a secret field that equals its current mask stays. */
export interface ProviderChange {
  readonly config?: Readonly<Record<string, unknown>>;
  readonly secret?: Readonly<Record<string, unknown>>;
}

export interface UnsealedProvider {
  readonly config: unknown;
  readonly secret: SecretFields;
}

/** @throws ProviderError `ProviderConfigInvalid` naming the fields that do not fit, or that must be given again */
export function changeProvider(
  identity: ProviderIdentity,
  stored: UnsealedProvider,
  change: ProviderChange,
  types: ProviderTypes,
): ParsedProvider {
  const { type, name } = identity;
  const kept = new Set(Object.keys(stored.secret).filter((field) => !Object.hasOwn(change.secret ?? {}, field)));
  const secret = Object.entries(change.secret ?? {}).map(([field, given]) => {
    const stay = () => kept.add(field);
    return [field, unmask(`secret.${field}`, given, stored.secret[field], stay)] as const;
  });
  const parsed = types.parse(
    type,
    name,
    overlay(stored.config, change.config ?? {}),
    overlay(stored.secret, Object.fromEntries(secret)),
  );
  if (kept.size > 0 && !isDeepStrictEqual(parsed.sentTo, sentToBy(identity, stored, types)))
    throw mustBeGivenAgain(identity, kept);
  return parsed;
}

function overlay(stored: unknown, given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const both = Object.entries({ ...(stored as object), ...given });
  return Object.fromEntries(both.filter(([, value]) => value !== null));
}

/** `undefined` if the stored provider does not fit its type: its destination is then unknown. */
function sentToBy({ type, name }: ProviderIdentity, { config, secret }: UnsealedProvider, types: ProviderTypes) {
  try {
    return types.parse(type, name, config, secret).sentTo;
  } catch (error) {
    if (isProviderError(error, 'ProviderConfigInvalid')) return undefined;
    throw error;
  }
}

function mustBeGivenAgain(identity: ProviderIdentity, kept: ReadonlySet<string>): ProviderError {
  const fields = [...kept].map((field) => `secret.${field}`);
  const what = fields.join(', ');
  return new ProviderError(
    'ProviderConfigInvalid',
    `${describeProvider(identity)} would send its secret to another destination: give ${what} again, in plaintext`,
    { provider: identity, fields },
  );
}
