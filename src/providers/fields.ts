/**
 * The parts that the schemas of provider types are made of. Each has its rule as fixed text, so that a message names
 * the field and the rule without the value: a value that does not fit may be a key in the wrong field.
 */
import { z } from 'zod';
import { isLoopback } from '../egress/address.js';
import { isWeak, MIN_DIFFERENT_CHARACTERS, MIN_KEY_CHARACTERS } from '../redaction/guessable.js';
import { isMasked } from '../redaction/secret.js';

/** Longer than any key or URL in use, and short enough for a row or a header. */
const MAX_SECRET_BYTES = 8 * 1024;
/** Printable ASCII without spaces: what a header or a URL carries unchanged. */
const PRINTABLE = /^[\x21-\x7e]+$/;

const SECRET_TEXT_RULE = 'must be 1 to 8192 printable ASCII characters without spaces, and not a masked value';
const KEY_RULE =
  `must be ${MIN_KEY_CHARACTERS} to 8192 printable ASCII characters without spaces, ` +
  `${MIN_DIFFERENT_CHARACTERS} of them different, and not a masked value`;
const SERVICE_URL_RULE =
  'must be an https URL (http only for a loopback address) of at most 2048 characters, in its normal form, without ' +
  'user, password, query or fragment';
/** The normal form is in the header of each sealed credential, which must stay small. */
const MAX_SERVICE_URL_LENGTH = 2048;
const SERVICE_URL = /^(https?):\/\/([^/?#@\\]+)((?:\/[^/?#\\]+)*)\/*$/i;
/** What the URL of a service must not end with, and the rule that says so. */
interface RefusedEnding {
  readonly ending: RegExp;
  readonly rule: string;
}

/** As the pages of vendors show it in their examples. `/models` without a version is the base URL of some services. */
const CALL_PATH: RefusedEnding = {
  ending:
    /\/chat\/completions$|\/v\d\w*\/(completions|responses|messages|embeddings|models(\/[^/]+)?|organizations?(\/.+)?)$|:\w*generateContent$/i,
  rule:
    'must be the base URL of the API, without the path of a call: https://api.example.com/v1, not ' +
    'https://api.example.com/v1/chat/completions',
};
const DEFAULT_PORT: Readonly<Record<string, RegExp>> = { https: /:443$/, http: /:80$/ };

/** A text that holds a credential, such as a URL. */
export const secretText = z.string({ error: SECRET_TEXT_RULE }).refine(isSecretText, { error: SECRET_TEXT_RULE });

/**
 * The schema of a key or token. A weak one is refused, because it could not be removed from texts: it would be met in them by chance.
 */
export const secretKey = z
  .string({ error: KEY_RULE })
  .refine((value) => isSecretText(value) && !isWeak(value), { error: KEY_RULE });

/** The schema of the base URL of a service, which is kept in its normal form. It is public, so it has no place for a credential. */
export function serviceURL() {
  return restrictedURL();
}

/**
 * The schema of a base URL.
 *
 * @param preface - text before the rule
 * @param refused - what the URL must not end with. Default: the path of a call
 */
export function restrictedURL(preface?: string, refused = CALL_PATH) {
  const error = preface ? `${preface} ${SERVICE_URL_RULE}` : SERVICE_URL_RULE;
  return z
    .string({ error })
    .refine((value) => normalServiceURL(value) !== undefined, { error, abort: true })
    .transform((value) => normalServiceURL(value) ?? '')
    .refine((value) => !refused.ending.test(value), { error: refused.rule });
}

/** The base URL of a service whose paths are not known. */
export const anyServiceURL = restrictedURL(undefined, { ending: /$^/, rule: '' });

/** Headers of a connection or a body: the HTTP client sets them, drops them, or refuses the call. */
export const HEADERS_OF_HTTP: ReadonlySet<string> = new Set([
  ...['connection', 'content-encoding', 'content-length', 'content-type', 'expect', 'host', 'keep-alive'],
  ...['proxy-connection', 'sec-fetch-mode', 'te', 'trailer', 'transfer-encoding', 'upgrade'],
]);

/** Text that becomes part of a header or a path: a model, a slug. */
export function word(error: string, pattern: RegExp) {
  return z.string({ error }).regex(pattern, { error });
}

/** One of a few words. */
export function oneOf<const Values extends readonly string[]>(values: Values) {
  return z.enum(values, { error: `must be one of ${values.join(', ')}` });
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

/**
 * Scheme and host in lower case, without the default port and without slashes at the end: docs/sealing-format.md. Other
 * languages parse URLs by other rules. So a URL that the URL standard rewrites in any other way (dots in the path, an
 * IPv4 address as one number, a backslash) has no normal form.
 *
 * @returns `undefined` for a URL that is not the base URL of a service
 */
function normalServiceURL(value: string): string | undefined {
  if (value.length > MAX_SERVICE_URL_LENGTH) return undefined;
  const url = parseHttpUrl(value);
  const [, scheme = '', authority = '', path = ''] = SERVICE_URL.exec(value) ?? [];
  const origin = `${scheme}://${authority}`.toLowerCase();
  const normal = origin.replace(DEFAULT_PORT[scheme.toLowerCase()] ?? /$/, '') + path;
  return url?.href.replace(/\/+$/, '') === normal ? normal : undefined;
}
