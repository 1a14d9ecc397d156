/**
 * The forms in which a secret may be written: as it is, URL-encoded, in JSON, in hex, and in base64, in which it looks
 * different at each of three offsets. A secret that was changed in another way (cut, put in upper case, encoded twice,
 * compressed) is not found.
 */

// Not decodeURIComponent, which throws on a lone %.
import { unescape as decodePercents } from 'node:querystring';

/** One form of a secret. */
export interface WrittenForm {
  readonly text: string;
  /**
   * Whether the character next to `text` also has bits of the secret. A base64 character can have bits of two bytes.
   */
  readonly sharesBefore: boolean;
  readonly sharesAfter: boolean;
}

/** Shorter secrets are not searched for: they would be found by chance. The keys of every service are longer. */
export const MIN_SECRET_LENGTH = 8;

/**
 * For parts of a URL that nothing marks as secret: words such as `ethereum` and `mainnet-beta` are shorter than keys.
 */
const MIN_URL_PART_LENGTH = 16;

/** The secret, and its parts that are secret by themselves: a URL's password, long path segments and query values. */
export function secretParts(secret: string): string[] {
  const words = secret.split(/\s+/).filter((word) => word.length >= MIN_URL_PART_LENGTH);
  const parts = [secret, ...words, ...(/^[a-z+]+:\/\//i.test(secret) && URL.canParse(secret) ? urlParts(secret) : [])];
  return [...new Set(parts)].filter((part) => part.length >= MIN_SECRET_LENGTH);
}

function urlParts(url: string): string[] {
  const { href, username, password, hostname, pathname, search } = new URL(url);
  const unmarked = [username, ...pathname.split('/'), ...search.slice(1).split(/[&=]/)];
  const long = [...unmarked, ...unmarked.map(decodePercents)].filter((part) => part.length >= MIN_URL_PART_LENGTH);
  return [href, password, decodePercents(password), ...long, ...hostname.split('.').filter(isKeyLabel)];
}

/** A few services put the key into a label of the host name. */
function isKeyLabel(label: string): boolean {
  return /^[0-9a-z]{24,}$/.test(label);
}

/** Returns each distinct form once. */
export function writtenForms(secret: string): WrittenForm[] {
  const bytes = Buffer.from(secret);
  const wellFormed = bytes.toString();
  const encoded = encodeURIComponent(wellFormed);
  const hex = bytes.toString('hex');
  const whole = [
    secret,
    encoded,
    encoded.replace(/%../g, (octet) => octet.toLowerCase()),
    new URLSearchParams({ '': wellFormed }).toString().slice(1),
    JSON.stringify(secret).slice(1, -1),
    hex,
    hex.toUpperCase(),
  ].map((text) => ({ text, sharesBefore: false, sharesAfter: false }));
  const forms = [...whole, ...[0, 1, 2].flatMap((offset) => base64At(bytes, offset))];
  return [...new Map(forms.map((form) => [form.text, form])).values()];
}

/** The base64 and base64url forms after `offset` bytes, without the characters that depend on the bytes around them. */
function base64At(bytes: Buffer, offset: number): WrittenForm[] {
  const start = Math.ceil((offset * 8) / 6);
  const end = Math.floor(((offset + bytes.length) * 8) / 6);
  const text = Buffer.concat([Buffer.alloc(offset), bytes, Buffer.alloc(2)])
    .toString('base64')
    .slice(start, end);
  const shared = { sharesBefore: offset > 0, sharesAfter: (offset + bytes.length) % 3 > 0 };
  const url = text.replaceAll('+', '-').replaceAll('/', '_');
  return [text, url].map((each) => ({ text: each, ...shared }));
}
