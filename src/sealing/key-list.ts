/** Parses keys as settings have them: `id:base64,id:base64`, 256 bits each, the active one first. */
import { ProviderError } from '../protocol/errors.js';
import { rememberOwnSecret } from '../redaction/opened-secrets.js';
import { KEY_BYTES } from './compact-jwe.js';
import { weaknessOf } from './weak-keys.js';

const KEY_ID = /^[A-Za-z0-9_.-]{1,32}$/;

/**
 * Returns the keys by id, the active one first.
 *
 * @param setting - its name, and the error if it is absent: `is not set: nothing can be sealed without a root key`
 * @throws ProviderError `SetupInvalid` if the setting is not valid. The message names the entry by its position and
 *   never shows what is in it
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
    if (keys.has(id)) throw refuse(`entry ${index + 1} has the same id as an earlier entry`);
    if ([...keys.values()].some((other) => Buffer.compare(other, key) === 0))
      throw refuse(`entry ${index + 1} has the same key as an earlier entry, under another id`);
    keys.set(id, key);
  }
  return keys;
}

function parseEntry(entry: string, refuse: (what: string) => ProviderError): { id: string; key: Uint8Array } {
  const colon = entry.indexOf(':');
  if (entry === '') throw refuse('is empty');
  if (colon < 0) throw refuse('has no id');
  const id = entry.slice(0, colon);
  if (!KEY_ID.test(id)) throw refuse('has an id that is not 1 to 32 characters from A-Z a-z 0-9 _ . -');
  const encoded = entry.slice(colon + 1);
  const key = Buffer.from(encoded, 'base64');
  if (key.toString('base64') !== encoded) throw refuse('has a key that is not base64 with padding');
  if (key.length !== KEY_BYTES) throw refuse(`has a key of ${key.length * 8} bits, not 256`);
  const weakness = weaknessOf(key);
  if (weakness !== undefined) throw refuse(`has a key ${weakness}`);
  const hex = key.toString('hex');
  const spellings = [encoded, encoded.replace(/=+$/, ''), key.toString('base64url'), hex, hex.toUpperCase()];
  for (const spelling of spellings) rememberOwnSecret(spelling);
  return { id, key };
}

function invalid(setting: string, what: string): ProviderError {
  return new ProviderError(
    'SetupInvalid',
    `${setting} ${what}. Set it to id:key, or to a list with the active key first (id:key,id:key). ` +
      'The id is a name of your choice, and the key is the output of: openssl rand -base64 32',
    { fields: [setting] },
  );
}
