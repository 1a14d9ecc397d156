/**
 * How a secret may be written: as it is, URL-encoded, in JSON, in hex and in base64, where a text looks different at
 * each of three offsets. What was changed otherwise (cut, upper-cased, encoded twice, compressed) is another text.
 */

// Not decodeURIComponent: that throws where a lone % stands.
import { unescape as decodePercents } from 'node:querystring';

/** One way in which a secret is written. */
export interface WrittenForm {
  readonly text: string;
  /** Whether the character beside `text` holds some bits of the secret too: base64 shares them with its neighbours. */
  readonly sharesBefore: boolean;
  readonly sharesAfter: boolean;
}

/**
 * Shorter ones are not looked for: they would be found in texts that do not hold them. Every service's keys are longer.
 */
export const MIN_SECRET_LENGTH = 8;

/**
 * A part of a URL that nothing marks as secret: `ethereum` and `mainnet-beta` stand there as well as keys, and are
 * shorter than those.
 */
const MIN_URL_PART_LENGTH = 16;

/** A secret, and what of it is secret by itself: of a URL its password, its long path segments and query values. */
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

/** A few hosts put the key into a label of their names. */
function isKeyLabel(label: string): boolean {
  return /^[0-9a-z]{24,}$/.test(label);
}

/** Each different form once. */
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

/** As base64 and base64url write it after `offset` bytes; what its neighbours would change is cut off. */
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
