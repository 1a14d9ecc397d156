/** The stand-in for Anthropic's admin API supports what rotations do, and its changes affect the Messages API. */
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LlmStandIn, startLlmStandIn } from '../../../testbed/standins/llm.js';
import { keyIssuerOf, parseProvider } from '../../support/built-in-types.js';

const OLDER = 'canary-anthropic-of-acme-older';
const NEWER = 'canary-anthropic-of-acme-newer';
const OF_BETA = 'canary-anthropic-of-beta-alone';
const ADMIN = 'canary-admin-of-acme';

let standIn: LlmStandIn;
beforeAll(async () => {
  const keys = [[OLDER, 'ws_acme'] as const, [NEWER, 'ws_acme'] as const, [OF_BETA, 'ws_beta'] as const];
  standIn = await startLlmStandIn({ keys: keys.map(([key, owner]) => ({ provider: 'anthropic', key, owner })) });
  standIn.admitAdmin({ key: ADMIN, owner: 'ws_acme' });
});
afterAll(() => standIn.stop());

async function revoke(apiKey: string, adminKey = ADMIN) {
  const config = { baseURL: standIn.baseUrls.anthropic.sdk };
  const { credential, service } = parseProvider('llm-admin', 'anthropic', config, { adminKey });
  const context = { fetch: service.adaptFetch(fetch), signal: AbortSignal.timeout(10_000) };
  return keyIssuerOf('llm', 'anthropic')?.revoke?.(credential, { secret: { apiKey } }, context);
}

function models(apiKey: string) {
  return new Anthropic({ apiKey, baseURL: standIn.baseUrls.anthropic.sdk, maxRetries: 0 }).models.list();
}

test('a key that is deactivated is refused, and the other keys still work', async () => {
  expect(await revoke(OLDER)).toMatchObject({ outcome: 'revoked' });
  await expect(models(OLDER)).rejects.toBeInstanceOf(Anthropic.AuthenticationError);
  await models(NEWER);
  await models(OF_BETA);
  expect(await revoke(OLDER)).toMatchObject({
    outcome: 'revoked',
    detail: expect.stringContaining('already inactive'),
  });
});

test('an admin key does not see the keys of another organization', async () => {
  expect(await revoke(OF_BETA)).toMatchObject({ outcome: 'by-hand' });
  await models(OF_BETA);
});

test('the admin API accepts only admin keys, and they cannot call models', async () => {
  await expect(revoke(NEWER, NEWER)).rejects.toThrow();
  await models(NEWER);
  await expect(models(ADMIN)).rejects.toBeInstanceOf(Anthropic.AuthenticationError);
});
