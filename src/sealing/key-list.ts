/** Keys as settings hold them: `id:base64,id:base64`, 256 bits each, the active one first. */
import { ProviderError } from '../protocol/errors.js';
import { rememberOwnSecret } from '../redaction/opened-secrets.js';
import { KEY_BYTES } from './compact-jwe.js';

const KEY_ID = /^[A-Za-z0-9_.-]{1,32}$/;

/**
 * By id, the active one first.
 *
 * @param setting - where they stand, and what they are for: `is not set: without a root key nothing can be sealed`
 * @throws ProviderError `SetupInvalid`, which names the entry by its position and never shows what is in it.
 */
export function parseKeyList(
  text: string | undefined,
  setting: { readonly name: string; readonly whenAbsent: string },
): ReadonlyMap<string, Uint8Array> {
  const refuse = (what: string) => invalid(setting.name, what);
  if (!text?.trim()) throw refuse(setting.whenAbsent);
  const keys = new Map<string, Uint8Array>();
  for (const [index, entry] of text.split(',').entries()) {
    const { id, key } = parseEntry(entry.trim(), (what) => refuse(`entry ${index + 1} ${what}`));
    if (keys.has(id)) throw refuse(`entry ${index + 1} has an id that an earlier entry has`);
    if ([...keys.values()].some((other) => Buffer.compare(other, key) === 0))
      throw refuse(`entry ${index + 1} repeats the key of an earlier entry under another id`);
    keys.set(id, key);
  }
  return keys;
}

function parseEntry(entry: string, refuse: (what: string) => ProviderError): { id: string; key: Uint8Array } {
  const colon = entry.indexOf(':');
  if (entry === '') throw refuse('is empty');
  if (colon < 0) throw refuse('has no id');
  const id = entry.slice(0, colon);
  if (!KEY_ID.test(id)) throw refuse('has an id that is not 1 to 32 of A-Z a-z 0-9 _ . -');
  const encoded = entry.slice(colon + 1);
  const key = Buffer.from(encoded, 'base64');
  if (key.toString('base64') !== encoded) throw refuse('holds a key that is not base64 with its padding');
  if (key.length !== KEY_BYTES) throw refuse(`holds a key of ${key.length * 8} bits, not 256`);
  if (key.every((byte) => byte === key[0])) throw refuse('holds one byte repeated, not a random key');
  const hex = key.toString('hex');
  const spellings = [encoded, encoded.replace(/=+$/, ''), key.toString('base64url'), hex, hex.toUpperCase()];
  for (const spelling of spellings) rememberOwnSecret(spelling);
  return { id, key };
}

function invalid(setting: string, what: string): ProviderError {
  return new ProviderError(
    'SetupInvalid',
    `${setting} ${what}. It is id:key, or a list with the active one first (id:key,id:key), ` +
      'where id is a name of your choice and key is the output of: openssl rand -base64 32',
    { fields: [setting] },
  );
}
