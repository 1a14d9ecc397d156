/**
 * The pieces that schemas of provider types are made of. Each says in fixed text what it wants, so that a message can
 * name the field and the rule without the value: what did not fit may be a key in the wrong place.
 */
import { z } from 'zod';
import { isLoopback } from './loopback.js';

/** The longest secret: an order above any key or URL in use, an order below what a payload minds. */
const MAX_SECRET_BYTES = 8 * 1024;
const PRINTABLE = /^[\x21-\x7e]+$/;
/** What `mask` shows instead of a key: a form sent back unchanged must not overwrite the key with it. */
const MASKED = /^…|^\.\.\.|^\*+$|^\[redacted\]$/;

const SECRET_RULE = 'must be 1 to 8192 printable ASCII characters without spaces, and not a masked value';
const HTTP_URL_RULE = 'must be an https URL (http only to a loopback address), without user, password or fragment';

/** A key or token. */
export const secretText = z.string({ error: SECRET_RULE }).refine(isSecretText, { error: SECRET_RULE });

/** Where a service answers: public, so it holds no credential. A trailing slash is dropped. */
export const baseURL = z
  .string({ error: HTTP_URL_RULE })
  .refine((value) => isServiceUrl(value) && isWithoutCredentials(value), { error: HTTP_URL_RULE })
  .transform((value) => value.replace(/\/+$/, ''));

/** A word that goes into a header or a URL path: a model, an organization, a slug. */
export function word(rule: string, pattern: RegExp) {
  return z.string({ error: rule }).regex(pattern, { error: rule });
}

export function isSecretText(value: string): boolean {
  return value.length <= MAX_SECRET_BYTES && PRINTABLE.test(value) && !MASKED.test(value);
}

/** Whether `value` is an absolute https URL, or an http one to this machine. */
export function isServiceUrl(value: string): boolean {
  const url = parseUrl(value);
  if (!url || value.length > MAX_SECRET_BYTES || url.hash !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
}

/** Node's own error for a bad URL holds the input, so it never leaves. */
export function parseUrl(value: string): URL | undefined {
  return URL.canParse(value) ? new URL(value) : undefined;
}

function isWithoutCredentials(value: string): boolean {
  const url = parseUrl(value);
  return url !== undefined && url.username === '' && url.password === '' && url.search === '';
}
