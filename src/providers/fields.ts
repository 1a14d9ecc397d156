/**
 * The pieces that schemas of provider types are made of. Each says in fixed text what it wants, so that a message can
 * name the field and the rule without the value: what did not fit may be a key in the wrong place.
 */
import { z } from 'zod';
import { isLoopback } from '../egress/address.js';
import { isMasked } from '../redaction/secret.js';

/** Longer than any key or URL in use, shorter than what hurts a row or a header. */
const MAX_SECRET_BYTES = 8 * 1024;
/** Printable ASCII without space: what a header and a URL can carry as it is. */
const PRINTABLE = /^[\x21-\x7e]+$/;

const SECRET_RULE = 'must be 1 to 8192 printable ASCII characters without spaces, and no masked value';
const SERVICE_URL_RULE =
  'must be an https URL (http to a loopback address alone) without user, password, query and fragment';

/** A key or token. */
export const secretText = z.string({ error: SECRET_RULE }).refine(isSecretText, { error: SECRET_RULE });

/**
 * Where a service answers: public, so there is no room for a credential in it. Trailing slashes are dropped.
 *
 * @param preface - what to say before the rule
 */
export function serviceURL(preface?: string) {
  const error = preface ? `${preface} ${SERVICE_URL_RULE}` : SERVICE_URL_RULE;
  return z
    .string({ error })
    .refine(isServiceURL, { error })
    .transform((value) => value.replace(/\/+$/, ''));
}

/** What goes into a header or a path: a model, a slug. */
export function word(error: string, pattern: RegExp) {
  return z.string({ error }).regex(pattern, { error });
}

/** What a service calls something by. */
export const id = word('must be an id: 1 to 100 of A-Z a-z 0-9 _ -', /^[A-Za-z0-9_-]{1,100}$/);

/** An absolute https URL, or an http one to this machine; `undefined` for anything else. */
export function parseHttpUrl(value: string): URL | undefined {
  // Node's own error for a bad URL holds the input, so none is made.
  if (value.length > MAX_SECRET_BYTES || !PRINTABLE.test(value) || !URL.canParse(value)) return undefined;
  const url = new URL(value);
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname)) ? url : undefined;
}

function isSecretText(value: string): boolean {
  return value.length <= MAX_SECRET_BYTES && PRINTABLE.test(value) && !isMasked(value);
}

function isServiceURL(value: string): boolean {
  const url = parseHttpUrl(value);
  // By the text: an empty query or fragment leaves no trace in the parsed URL.
  return url !== undefined && !/[?#]/.test(value) && url.username === '' && url.password === '';
}
