/**
 * The parts that the schemas of provider types are made of. Each has its rule as fixed text, so that a message names
 * the field and the rule without the value: a value that does not fit may be a key in the wrong field.
 */
import { z } from 'zod';
import { isLoopback } from '../egress/address.js';
import { isWeak, MIN_DIFFERENT_CHARACTERS, MIN_SECRET_CHARACTERS } from '../redaction/guessable.js';
import { isMasked } from '../redaction/secret.js';

/** Longer than any key or URL in use, and short enough for a row or a header. */
const MAX_SECRET_BYTES = 8 * 1024;
/** Printable ASCII without spaces: what a header or a URL carries unchanged. */
const PRINTABLE = /^[\x21-\x7e]+$/;

const SECRET_TEXT_RULE = 'must be 1 to 8192 printable ASCII characters without spaces, and not a masked value';
const KEY_RULE =
  `must be ${MIN_SECRET_CHARACTERS} to 8192 printable ASCII characters without spaces, ` +
  `${MIN_DIFFERENT_CHARACTERS} of them different, and not a masked value`;
const SERVICE_URL_RULE =
  'must be an https URL (http only for a loopback address) without user, password, query or fragment';

/** A text that holds a credential, such as a URL. */
export const secretText = z.string({ error: SECRET_TEXT_RULE }).refine(isSecretText, { error: SECRET_TEXT_RULE });

/**
 * A key or token. A weak one is refused, because it could not be removed from texts: it would be met in them by chance.
 */
export const secretKey = z
  .string({ error: KEY_RULE })
  .refine((value) => isSecretText(value) && !isWeak(value), { error: KEY_RULE });

/**
 * The base URL of a service. It is public, so it has no place for a credential. Trailing slashes are dropped.
 *
 * @param preface - text before the rule
 */
export function serviceURL(preface?: string) {
  const error = preface ? `${preface} ${SERVICE_URL_RULE}` : SERVICE_URL_RULE;
  return z
    .string({ error })
    .refine(isServiceURL, { error })
    .transform((value) => value.replace(/\/+$/, ''));
}

/** Text that becomes part of a header or a path: a model, a slug. */
export function word(error: string, pattern: RegExp) {
  return z.string({ error }).regex(pattern, { error });
}

/** An id that a service gave to something: a project, an organization, a key. */
export const id = word('must be an id: 1 to 100 of A-Z a-z 0-9 _ -', /^[A-Za-z0-9_-]{1,100}$/);

/** An absolute https URL, or an http URL of this machine. `undefined` for anything else. */
export function parseHttpUrl(value: string): URL | undefined {
  // Checked first, because the error of `new URL` contains the input.
  if (value.length > MAX_SECRET_BYTES || !PRINTABLE.test(value) || !URL.canParse(value)) return undefined;
  const url = new URL(value);
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname)) ? url : undefined;
}

function isSecretText(value: string): boolean {
  return value.length <= MAX_SECRET_BYTES && PRINTABLE.test(value) && !isMasked(value);
}

function isServiceURL(value: string): boolean {
  const url = parseHttpUrl(value);
  // Checked in the text, because the parsed URL does not show an empty query or fragment.
  return url !== undefined && !/[?#]/.test(value) && url.username === '' && url.password === '';
}
