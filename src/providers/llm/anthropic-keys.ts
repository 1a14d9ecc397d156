/**
 * Revokes Anthropic's keys. The admin API lists and deactivates keys, but cannot create them. A key is recognized by
 * the hint that the API shows, its beginning and its end. If several keys match the hint, a person must decide.
 */
import { z } from 'zod';
import { id } from '../fields.js';
import { callAdmin, listAll } from './admin-api.js';
import type { LlmKeyIssuer } from './llm-admin.js';
import { vendorOf } from './vendors.js';

const apiKey = z.object({ id, status: z.string(), partial_key_hint: z.string().nullish() });
const deactivated = z.object({ status: z.literal('inactive') });

/** A hint with a shorter end would match other keys too easily. */
const MIN_HINT_END = 4;

export const anthropicKeys: LlmKeyIssuer = {
  adminType: 'llm-admin',

  async revoke(admin, { secret }, context) {
    // Keys of every status: this key may be inactive already, while an active one matches the hint too.
    const keys = await listAll(admin, 'after_id', apiKey, context);
    const [key, ...others] = keys.filter(({ partial_key_hint: hint }) => hint && fits(hint, secret.apiKey));
    if (!key) return byHand('no key of the organization has a matching hint');
    if (others.length > 0) return byHand('several keys of the organization have a matching hint');
    if (key.status !== 'active') return { outcome: 'revoked', detail: 'the key was already inactive' };
    const request = { method: 'POST', below: `/${key.id}`, body: { status: 'inactive' } } as const;
    await callAdmin(admin, request, deactivated, context);
    return { outcome: 'revoked', detail: 'the key is deactivated' };
  },
};

/** @param hint - the beginning and the end of a key, with `...` between them */
function fits(hint: string, key: string): boolean {
  const [start = '', end = '', ...more] = hint.split(/\.{3}|…/);
  return (
    more.length === 0 &&
    end.length >= MIN_HINT_END &&
    key.length > start.length + end.length &&
    key.startsWith(start) &&
    key.endsWith(end)
  );
}

function byHand(reason: string) {
  return { outcome: 'by-hand', detail: `${reason}: ${vendorOf('anthropic')?.revokeByHand}` } as const;
}
