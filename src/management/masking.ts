/**
 * Masks secrets for display, and accepts masks back from a form: a mask means "unchanged". It must be the mask of the
 * value that is stored now. Any other mask is refused, because it would be stored as if it were the key.
 */
import { ProviderError } from '../protocol/errors.js';
import { isMasked, mask } from '../redaction/secret.js';

/** A secret in which each text is masked: `…a1b2`, or `…` if the text is too short to show four characters of it. */
export type Masked = string | { readonly [field: string]: Masked };

/** Masks each text of a secret. Values of other kinds (no type has them today) are masked completely. */
export function maskSecret(value: unknown): Masked {
  if (!isObject(value)) return maskText(String(value));
  return Object.fromEntries(Object.entries(value).map(([field, member]) => [field, maskSecret(member)]));
}

/**
 * Returns the given value, with the stored value in place of each mask.
 *
 * @param kept - called for each stored value that is kept
 * @throws ProviderError `ProviderConfigInvalid` for a text that looks masked but is not the mask of the stored value
 */
export function unmask(field: string, given: unknown, stored: unknown, kept: () => void): unknown {
  if (isObject(given)) {
    const of = (member: string) => (isObject(stored) && Object.hasOwn(stored, member) ? stored[member] : undefined);
    const unmasked = ([member, value]: [string, unknown]) => [member, unmask(field, value, of(member), kept)];
    return Object.fromEntries(Object.entries(given).map(unmasked));
  }
  if (typeof given !== 'string' || !isMasked(given)) return given;
  if (typeof stored === 'string' && maskText(stored) === given) {
    kept();
    return stored;
  }
  throw new ProviderError(
    'ProviderConfigInvalid',
    `${field} looks masked, but is not the mask of the stored value: leave the field out to keep that value`,
    { fields: [field] },
  );
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Masks path and query of a URL, where keys are. The host must not make a short key long enough to be shown in part.
 */
function maskText(value: string): string {
  if (!/^https?:\/\//i.test(value) || !URL.canParse(value)) return mask(value);
  const { pathname, search } = new URL(value);
  return mask(`${pathname}${search}`.replace(/^\/|\/$/g, ''));
}
