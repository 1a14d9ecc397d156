/**
 * OpenAI's keys: each is the one key of a service account in the project that the admin credential names. OpenAI shows
 * a key's value once, when it is made; whoever loses it can only delete the account. A deletion is for good, so a key
 * that was made elsewhere is never guessed at.
 */
import { z } from 'zod';
import { answerOf } from '../answers/service-answer.js';
import { id, secretText } from '../fields.js';
import type { CheckContext } from '../type.js';
import { callAdmin, listAll } from './admin-api.js';
import type { LlmAdminCredential, LlmKeyIssuer } from './llm-admin.js';
import { vendorOf } from './vendors.js';

const serviceAccount = z.object({ id, name: z.string() });
const madeWithKey = z.object({ id, api_key: z.object({ value: secretText }) });
const deleted = z.object({ deleted: z.literal(true) });

export const openaiKeys: LlmKeyIssuer = {
  adminType: 'llm-admin',

  async issue(admin, { label, current }, context) {
    await discard(admin, label, context);
    const made = await callAdmin(admin, { method: 'POST', body: { name: label } }, madeWithKey, context);
    return { secret: { ...current, apiKey: made.api_key.value }, keyId: keyIdOf(admin, made.id) };
  },

  discard: (admin, { label }, context) => discard(admin, label, context),

  async revoke(admin, { keyId }, context) {
    if (keyId === undefined) return operator('it was not made here');
    const [project, account] = keyId.split('/');
    // In another project it would not be found, and be taken for gone.
    if (project !== admin.project || !account) return operator('it belongs to another project than is configured');
    await remove(admin, account, context);
    return { outcome: 'revoked', detail: 'the service account of the key is deleted' };
  },
};

async function discard(admin: LlmAdminCredential, label: string, context: CheckContext): Promise<void> {
  const accounts = await listAll(admin, 'after', serviceAccount, context);
  for (const account of accounts) if (account.name === label) await remove(admin, account.id, context);
}

function keyIdOf({ project }: LlmAdminCredential, account: string): string {
  return `${project}/${account}`;
}

async function remove(admin: LlmAdminCredential, account: string, context: CheckContext): Promise<void> {
  try {
    await callAdmin(admin, { method: 'DELETE', below: `/${account}` }, deleted, context);
  } catch (error) {
    if (answerOf(error)?.status !== 404) throw error;
    // Not found: is it the account that is gone, or is the whole project out of this admin key's sight?
    await callAdmin(admin, { below: '?limit=1' }, z.object({ data: z.array(z.unknown()) }), context);
  }
}

function operator(reason: string) {
  return { outcome: 'by-hand', detail: `${reason}: ${vendorOf('openai')?.revokeByHand}` } as const;
}
