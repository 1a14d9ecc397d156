/**
 * Creates and revokes OpenAI's keys. Each is the only key of a service account in the project that the admin credential
 * names. OpenAI shows a key once, when it is created; if it is lost, the account can only be deleted. A deletion is
 * permanent, so the account of a key that was created elsewhere is never guessed.
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
    if (keyId === undefined) return byHand('the key was not created by a rotation');
    const [project, ...below] = keyId.split('/');
    // The account would not be found in another project, and would count as deleted.
    if (project !== admin.project) return byHand('the key belongs to a project other than the configured one');
    // The database has the id. It becomes part of a URL, where `..` would delete the project.
    const account = id.safeParse(below.join('/'));
    if (!account.success) return byHand('the id of the key is not valid');
    await remove(admin, account.data, context);
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
    // Either the account is gone, or the admin key cannot see the project: then this call fails too.
    await callAdmin(admin, { below: '?limit=1' }, z.object({ data: z.array(z.unknown()) }), context);
  }
}

function byHand(reason: string) {
  return { outcome: 'by-hand', detail: `${reason}: ${vendorOf('openai')?.revokeByHand}` } as const;
}
