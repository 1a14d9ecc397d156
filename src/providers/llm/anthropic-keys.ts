/**
 * Anthropic's keys: its admin API lists and deactivates them, and makes none. Which one is ours is told by the hint
 * that it shows of each, the beginning and the end of the key; where two are shown alike, a person decides.
 */
import { z } from 'zod';
import { id } from '../fields.js';
import { callAdmin, listAll } from './admin-api.js';
import type { LlmKeyIssuer } from './llm-admin.js';
import { vendorOf } from './vendors.js';

const apiKey = z.object({ id, status: z.string(), partial_key_hint: z.string().nullish() });
const deactivated = z.object({ status: z.literal('inactive') });

/** A shorter end would fit keys of others too easily. */
const MIN_HINT_END = 4;

export const anthropicKeys: LlmKeyIssuer = {
  adminType: 'llm-admin',

  async revoke(admin, { secret }, context) {
    // Of every status: ours may be inactive already while another is shown alike.
    const keys = await listAll(admin, 'after_id', apiKey, context);
    const [key, ...others] = keys.filter(({ partial_key_hint: hint }) => hint && fits(hint, secret.apiKey));
    if (!key) return operator('no key of the organization is shown like it');
    if (others.length > 0) return operator('several keys of the organization are shown like it');
    if (key.status !== 'active') return { outcome: 'revoked', detail: 'the key was not active any more' };
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

function operator(reason: string) {
  return { outcome: 'by-hand', detail: `${reason}: ${vendorOf('anthropic')?.revokeByHand}` } as const;
}
