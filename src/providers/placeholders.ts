/**
 * Makes what stands for a secret in the credential of a step. A placeholder is the same for one field of one provider of
 * one workspace for as long as the process runs, so that a client that was made before a rotation works after it, and
 * it reveals nothing: it is derived from the names, by a key that only this process has.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { uniquePart } from '../egress/placeholders.js';
import { badType, made } from './definition-errors.js';
import type { AnyProviderType } from './type.js';

const PROCESS_KEY = randomBytes(32);
/** The same text in a URL, in a header and in JSON, also after `new URL` has normalised it. */
const PLACEHOLDER = /^[A-Za-z0-9_-]+$|^https?:\/\/[a-z0-9.:[\]_-]+\/[A-Za-z0-9_/-]*$/;

/** Returns the secret fields with a placeholder in place of each text. Other values stay: mark none of them as secret. */
export function placeholdersOf(
  type: AnyProviderType,
  fields: Parameters<AnyProviderType['placeholder']>[2],
  owner = '',
): Readonly<Record<string, unknown>> {
  const replaced = (value: unknown, path: string): unknown => {
    if (typeof value === 'string') return placeholder(path);
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map((each, index) => replaced(each, `${path}.${index}`));
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, replaced(each, `${path}.${key}`)]));
  };
  const placeholder = (path: string): string => {
    const names = JSON.stringify([owner, type.type, fields.name, path]);
    const unique = uniquePart(createHmac('sha256', PROCESS_KEY).update(names).digest('hex'));
    const text = made(type, 'placeholder', () => type.placeholder(path, unique, fields));
    if (text.includes(unique) && PLACEHOLDER.test(text)) return text;
    throw badType(type, 'placeholder', 'must return letters, digits, - and _, or a URL of them, with `unique` in it');
  };
  return Object.fromEntries(Object.entries(fields.secret).map(([field, value]) => [field, replaced(value, field)]));
}
