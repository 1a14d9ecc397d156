/**
 * What stands for a secret where it is shown, and the way back: a form that returns a mask means "unchanged". A mask
 * counts only where it is the one that the stored value has now; any other would be stored as if it were the key.
 */
import { ProviderError } from '../protocol/errors.js';
import { isMasked, mask } from '../redaction/secret.js';

/** A secret with each text in it masked: `…a1b2`, or `…` where it is too short to spare four characters. */
export type Masked = string | { readonly [field: string]: Masked };

/** Other kinds of value (no type has them today) are masked whole. */
export function maskSecret(value: unknown): Masked {
  if (!isObject(value)) return maskText(String(value));
  return Object.fromEntries(Object.entries(value).map(([field, member]) => [field, maskSecret(member)]));
}

/**
 * The given value with the stored one in place of each mask.
 *
 * @param kept - called where a stored value stays
 * @throws ProviderError `ProviderConfigInvalid` for a text that looks masked and is not the mask of what is stored
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
    `${field} looks masked, and is not the mask of what is stored: leave it out to keep what is there`,
    { fields: [field] },
  );
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Of a URL, its path and query, where keys stand: its host must not lend it the length to be shown in part. */
function maskText(value: string): string {
  if (!/^https?:\/\//i.test(value) || !URL.canParse(value)) return mask(value);
  const { pathname, search } = new URL(value);
  return mask(`${pathname}${search}`.replace(/^\/|\/$/g, ''));
}
