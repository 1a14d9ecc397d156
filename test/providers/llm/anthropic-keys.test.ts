/** Anthropic's keys: found by their hint, and deactivated if it matches only one key. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Failure } from '../../../src/testing/services/controls.js';
import { echoesKey, htmlPage } from '../../../testbed/standins/failures.js';
import { keyIssuerOf, parseProvider } from '../../support/built-in-types.js';
import { expectOutcome } from '../answers/outcomes.js';
import { everyPrintOf } from '../prints.js';
import { ADMIN_KEY, adminCredential, adminOf, failureOf, keyIssuer, keyIssuerTest } from './key-issuers.js';

const KEY = 'canary-anthropic-of-acme-a1b2';
const BY_HAND = 'disable the key at platform.claude.com, Settings, API keys';

const stage = keyIssuerTest();
let admin: unknown;
beforeEach(() => {
  stage.current.standIn.admitAdmin({ key: ADMIN_KEY, owner: 'ws_acme' });
  admin = adminCredential('anthropic', { baseURL: stage.current.standIn.baseUrls.anthropic.sdk });
});

const admit = (key: string) => stage.current.standIn.admit({ provider: 'anthropic', key, owner: 'ws_acme' });

const revokeKey = (apiKey = KEY) => keyIssuer('anthropic').revoke(admin, { secret: { apiKey } }, stage.current.context);

async function checkOf(apiKey: string) {
  const config = { baseURL: stage.current.standIn.baseUrls.anthropic.sdk };
  const { service } = parseProvider('llm', 'anthropic', config, { apiKey });
  return (await service.check(stage.current.context)).outcome;
}

const onAdminApi = (failure: Failure): Failure => ({ ...failure, provider: 'anthropic-admin' });

/** Makes the service answer with a list that has one key per hint. */
const list = (...keys: [status: string, hint: string | null][]): Failure => {
  const data = keys.map(([status, hint], index) => ({ id: `apikey_${index}`, status, partial_key_hint: hint }));
  return onAdminApi({ status: 200, body: { data, has_more: false } });
};

it('Anthropic issues no keys', () => {
  expect(keyIssuerOf('llm', 'anthropic')?.issue).toBeUndefined();
});

describe('revoking', () => {
  it('finds the key among many, deactivates it, and can be repeated', async () => {
    for (let index = 0; index < 130; index++) admit(`canary-anthropic-other-${String(index).padStart(4, '0')}`);
    admit(KEY);
    for (let index = 130; index < 240; index++) admit(`canary-anthropic-other-${String(index).padStart(4, '0')}`);
    expect(await revokeKey()).toEqual({ outcome: 'revoked', detail: 'the key is deactivated' });
    expect(await checkOf(KEY)).toBe('rejected');
    expect(await checkOf('canary-anthropic-other-0000')).toBe('ok');
    expect(await revokeKey()).toEqual({ outcome: 'revoked', detail: 'the key was already inactive' });
  });

  it('does not choose between keys with the same hint', async () => {
    const alike = 'canary-anthropic-of-acme-too-a1b2';
    admit(KEY);
    admit(alike);
    const detail = `several keys of the organization have a matching hint: ${BY_HAND}`;
    expect(await revokeKey()).toEqual({ outcome: 'by-hand', detail });
    // Nor if one of them is inactive, because it is unknown which one is ours.
    stage.current.standIn.revoke(alike);
    expect(await revokeKey()).toEqual({ outcome: 'by-hand', detail });
    expect(await checkOf(KEY)).toBe('ok');
  });

  it('leaves a key that the admin key cannot see to a person', async () => {
    stage.current.standIn.admit({ provider: 'anthropic', key: KEY, owner: 'ws_beta' });
    const detail = `no key of the organization has a matching hint: ${BY_HAND}`;
    expect(await revokeKey()).toEqual({ outcome: 'by-hand', detail });
    expect(await checkOf(KEY)).toBe('ok');
  });

  it.each<[string, string | null]>([
    ['no hint', null],
    ['an empty hint', ''],
    ['a hint without a gap', KEY],
    ['a hint without an end', 'canary-anthropic...'],
    ['a hint with too short an end', 'canary-anthropic...1b2'],
    ['a hint with another beginning', 'canary-openai...a1b2'],
    ['a hint with another end', 'canary-anthropic...a1b3'],
    ['a hint with two gaps', 'canary...of...a1b2'],
    ['a hint longer than the key', `${KEY}...a1b2`],
  ])('deactivates no key for %s', async (_what, hint) => {
    stage.current.standIn.failNext(list(['active', hint]));
    expect(await revokeKey()).toMatchObject({ outcome: 'by-hand' });
    expect(stage.current.standIn.calls().map(({ method }) => method)).toEqual(['GET']);
  });

  it.each(['expired', 'archived', 'inactive'])('does nothing for a key that is already %s', async (status) => {
    stage.current.standIn.failNext(list(['active', 'canary-other...0000'], [status, 'canary-anthropic…a1b2']));
    expect(await revokeKey()).toMatchObject({ outcome: 'revoked' });
    expect(stage.current.standIn.calls().map(({ method }) => method)).toEqual(['GET']);
  });

  it('fails if the service answers 200 but shows the key as active', async () => {
    admit(KEY);
    const body = { id: 'apikey_0', status: 'active' };
    stage.current.standIn.failNext(onAdminApi({ bodyIncludes: 'inactive', status: 200, body }));
    expect((await failureOf(revokeKey(), 'anthropic')).failure).toMatchObject({ type: 'ProviderUnavailable' });
  });
});

describe('a failure', () => {
  it.each<[string, Failure, Parameters<typeof expectOutcome>[1]]>([
    ['a refused admin key', echoesKey(401), 'CredentialRejected'],
    ['a rate limit', echoesKey(429), 'ProviderRateLimited'],
    ['an overload', echoesKey(529), 'ProviderRateLimited'],
    ['an HTML page', htmlPage(502), 'ProviderUnavailable'],
    ['a connection that is cut each time', { status: 'cut', times: 2 }, 'ProviderUnavailable'],
    ['an invalid list', { status: 200, body: (key) => ({ data: key }) }, 'ProviderUnavailable'],
  ])('names the admin credential, and contains no key: %s', async (_what, failing, type) => {
    admit(KEY);
    stage.current.standIn.failNext(onAdminApi(failing));
    const { thrown, failure } = await failureOf(revokeKey(), 'anthropic');
    expectOutcome(failure, type, adminOf('anthropic'));
    for (const key of [ADMIN_KEY, KEY]) {
      for (const error of [thrown, failure]) expect(everyPrintOf(error)).not.toContain(key);
    }
  });
});
