/** OpenAI's keys: issued, found again after a lost attempt, and deleted; never a key that is not ours. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Failure } from '../../../src/testing/services/controls.js';
import { echoesKey, htmlPage } from '../../../testbed/standins/failures.js';
import { parseProvider } from '../../support/built-in-types.js';
import { expectOutcome } from '../answers/outcomes.js';
import { everyPrintOf } from '../prints.js';
import { ADMIN_KEY, adminCredential, adminOf, failureOf, keyIssuer, keyIssuerTest } from './key-issuers.js';

const PROJECT = 'proj_acme';
const LABEL = 'workspace-providers ws_acme';
const CURRENT = { apiKey: 'canary-openai-by-hand' };

const stage = keyIssuerTest();
const { discard, issue, revoke } = keyIssuer('openai');
let admin: unknown;
beforeEach(() => {
  stage.current.standIn.admitProjectAdmin({ key: ADMIN_KEY, owner: 'ws_acme', project: PROJECT });
  admin = adminWith({});
});

function adminWith({ project = PROJECT, adminKey = ADMIN_KEY }) {
  return adminCredential('openai', { baseURL: stage.current.standIn.baseUrls.openai.sdk, project }, adminKey);
}

const mint = (label = LABEL) => issue(admin, { label, current: CURRENT }, stage.current.context);

const revokeKey = (keyId: string | undefined, as = admin) =>
  revoke(as, { secret: CURRENT, keyId }, stage.current.context);

const living = () =>
  stage.current.standIn
    .serviceAccounts()
    .filter(({ isDeleted }) => !isDeleted)
    .map(({ id, name }) => ({ keyId: `${PROJECT}/${id}`, name }));

/** Creates service accounts of other users of the project. */
async function makeOthers(count: number): Promise<void> {
  const url = `${stage.current.standIn.baseUrls.openai.sdk}/organization/projects/${PROJECT}/service_accounts`;
  const headers = { authorization: `Bearer ${ADMIN_KEY}` };
  const body = JSON.stringify({ name: 'another' });
  await Promise.all(
    Array.from({ length: count }, () => stage.current.context.fetch(url, { method: 'POST', headers, body })),
  );
}

/** The outcome of a check of a key, as a rotation runs it. */
async function checkOf(secret: unknown) {
  const { service } = parseProvider('llm', 'openai', { baseURL: stage.current.standIn.baseUrls.openai.sdk }, secret);
  return (await service.check(stage.current.context)).outcome;
}

const onAdminApi = (failure: Failure): Failure => ({ ...failure, provider: 'openai-admin' });

describe('an issued key', () => {
  it('works at once and until it is revoked', async () => {
    const { secret, keyId } = await mint();
    expect(living()).toEqual([{ keyId, name: LABEL }]);
    expect(await checkOf(secret)).toBe('ok');
    expect(await revokeKey(keyId)).toEqual({
      outcome: 'revoked',
      detail: 'the service account of the key is deleted',
    });
    expect(await checkOf(secret)).toBe('rejected');
    expect(living()).toEqual([]);
  });

  it('keeps the other fields of the secret, and its id contains only ids of the service', async () => {
    const current = { ...CURRENT, region: 'eu' };
    const { secret, keyId } = await issue(admin, { label: LABEL, current }, stage.current.context);
    const [account] = stage.current.standIn.serviceAccounts();
    expect(secret).toEqual({ apiKey: account?.key, region: 'eu' });
    expect(keyId).toBe(`${PROJECT}/${account?.id}`);
  });

  it('that was lost with its answer is removed by the next attempt', async () => {
    const others = await mint('workspace-providers ws_beta');
    const making = { provider: 'openai-admin', bodyIncludes: LABEL } as const;
    stage.current.standIn.failNext({ ...making, status: 'lost' });
    const { failure } = await failureOf(mint(), 'openai');
    expect(failure).toMatchObject({ type: 'ProviderUnavailable', retryable: true });
    const orphan = living().find(({ name }) => name === LABEL);
    expect(orphan).toBeDefined();

    const { keyId } = await mint();
    expect(keyId).not.toBe(orphan?.keyId);
    expect(living()).toEqual([
      { keyId: others.keyId, name: 'workspace-providers ws_beta' },
      { keyId, name: LABEL },
    ]);
  });

  it('that was lost is found on any page of a long list, and is removed even after a lost removal', async () => {
    const { standIn } = stage.current;
    await makeOthers(120);
    await mint();
    await makeOthers(5);
    const [orphan] = living().filter(({ name }) => name === LABEL);
    const path = `/projects/${PROJECT}/service_accounts/${orphan?.keyId.split('/')[1]}`;
    standIn.failNext({ provider: 'openai-admin', path, status: 'lost', times: 2 });
    await expect(mint()).rejects.toThrow();

    const { keyId } = await mint();
    expect(living().filter(({ name }) => name === LABEL)).toEqual([{ keyId, name: LABEL }]);
    expect(living()).toHaveLength(126);
  });

  it('that is discarded is removed by its label, and no other key is', async () => {
    const others = await mint('workspace-providers ws_beta');
    stage.current.standIn.failNext({ provider: 'openai-admin', bodyIncludes: LABEL, status: 'lost' });
    await expect(mint()).rejects.toThrow();
    expect(living()).toHaveLength(2);
    await discard(admin, { label: LABEL }, stage.current.context);
    await discard(admin, { label: LABEL }, stage.current.context);
    expect(living()).toEqual([{ keyId: others.keyId, name: 'workspace-providers ws_beta' }]);
  });
});

describe('revoking', () => {
  it('can be repeated, even if its first answer was lost', async () => {
    const { keyId } = await mint();
    stage.current.standIn.failNext(onAdminApi({ status: 'lost', times: 2 }));
    await expect(revokeKey(keyId)).rejects.toThrow();
    for (let time = 0; time < 2; time++) expect(await revokeKey(keyId)).toMatchObject({ outcome: 'revoked' });
  });

  it('leaves a key that no rotation issued to a person', async () => {
    expect(await revokeKey(undefined)).toEqual({
      outcome: 'by-hand',
      detail: 'the key was not created by a rotation: delete the key at platform.openai.com, Settings, API keys',
    });
  });

  it('does not report a key of another project as revoked', async () => {
    const { secret, keyId } = await mint();
    stage.current.standIn.admitProjectAdmin({ key: ADMIN_KEY, owner: 'ws_acme', project: 'proj_new' });
    expect(await revokeKey(keyId, adminWith({ project: 'proj_new' }))).toMatchObject({ outcome: 'by-hand' });
    expect(await checkOf(secret)).toBe('ok');
  });

  it.each(['..', '', 'a/../..', '%2e%2e', '?', 'a/b'])(
    'calls no other path with the admin key for the stored id %j, and says that a person must revoke the key [G11]',
    async (account) => {
      const revocation = await revokeKey(`${PROJECT}/${account}`);
      expect(revocation).toMatchObject({
        outcome: 'by-hand',
        detail: expect.stringContaining('the id of the key is not valid'),
      });
    },
  );

  it('fails if the admin key cannot see the project of the key', async () => {
    const { keyId } = await mint();
    const beta = 'canary-admin-of-beta';
    stage.current.standIn.admitProjectAdmin({ key: beta, owner: 'ws_beta', project: 'proj_beta' });
    const { failure } = await failureOf(revokeKey(keyId, adminWith({ adminKey: beta })), 'openai');
    expect(failure).toMatchObject({ type: 'ProviderRequestInvalid' });
  });
});

describe('a failure', () => {
  it.each<[string, Failure, Parameters<typeof expectOutcome>[1]]>([
    ['a refused admin key', echoesKey(401), 'CredentialRejected'],
    ['an admin key without the scope', echoesKey(403), 'ProviderRequestInvalid'],
    ['a rate limit', echoesKey(429), 'ProviderRateLimited'],
    ['an internal error', echoesKey(500), 'ProviderUnavailable'],
    ['an HTML page', htmlPage(502), 'ProviderUnavailable'],
    ['a connection that is cut each time', { status: 'cut', times: 2 }, 'ProviderUnavailable'],
    ['an invalid list', { status: 200, body: (key) => ({ data: key }) }, 'ProviderUnavailable'],
    ['a list without its next page', { status: 200, body: { data: [], has_more: true } }, 'ProviderUnavailable'],
    [
      'an id that would change the path',
      { status: 200, body: { data: [{ id: '../x', name: LABEL }], has_more: false } },
      'ProviderUnavailable',
    ],
  ])('names the admin credential, and contains no key: %s', async (_what, failing, type) => {
    stage.current.standIn.failNext(onAdminApi(failing));
    const { thrown, failure } = await failureOf(mint(), 'openai');
    expectOutcome(failure, type, adminOf('openai'));
    for (const error of [thrown, failure]) expect(everyPrintOf(error)).not.toContain(ADMIN_KEY);
  });

  it('contains no part of an invalid key from the service', async () => {
    const made = 'canary-made-and-unfit';
    const body = { id: 'user-1', name: LABEL, api_key: { value: `${made} with a space` } };
    stage.current.standIn.failNext(onAdminApi({ bodyIncludes: LABEL, status: 200, body }));
    const { thrown, failure } = await failureOf(mint(), 'openai');
    expect(failure).toMatchObject({ type: 'ProviderUnavailable' });
    for (const error of [thrown, failure]) expect(everyPrintOf(error)).not.toContain(made);
  });
});
