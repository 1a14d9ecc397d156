/**
 * The next, the previous and a minted credential of a rotation go nowhere but where they were sealed for, whatever an
 * editor or a service of the workspace does to the provider in the meantime.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProviderIdentity } from '../../src/protocol/references.js';
import { type ManagementStore, openManagementStore } from '../../src/store/management-store.js';
import { uniqueName } from '../support/parts.js';
import { type OpenaiProjects, startOpenaiProjects } from '../workflows/rotation/openai-projects.js';
import { manageProviders } from './management.js';
import { type ModelsService, startModelsService } from './models-service.js';

const FIRST = 'canary-first-key-a1b2';
const NEXT = 'canary-next-key-c3d4';
const JUNK = 'canary-junk-key-0000';
const NOW = { signal: AbortSignal.timeout(60_000) };

const management = manageProviders();
let own: ModelsService;
let attacker: ModelsService;
let projects: OpenaiProjects;
let store: ManagementStore;

beforeAll(async () => {
  own = await startModelsService(FIRST, NEXT);
  attacker = await startModelsService(FIRST, NEXT, JUNK);
  projects = await startOpenaiProjects({ onMade: async () => {}, onDeleted: () => {} });
  store = openManagementStore({ databaseUrl: management.database.managerUrl, ...management.database.store });
});
afterAll(() => Promise.all([own?.stop(), attacker?.stop(), projects?.stop(), store?.close()]));

async function configured(name = 'local', baseURL = own.baseURL): Promise<ProviderIdentity> {
  const identity = { workspaceId: uniqueName('ws'), type: 'llm', name };
  await management.client.configureProvider({ ...identity, config: { baseURL }, secret: { apiKey: FIRST } });
  return identity;
}

/** What an editor may do who knows no secret of the workspace: replace address and secret together. */
const editAddress = (identity: ProviderIdentity) =>
  management.client.updateProvider({
    ...identity,
    config: { baseURL: attacker.baseURL },
    secret: { apiKey: JUNK },
  });

const editBySql = ({ workspaceId }: ProviderIdentity) =>
  management.asTenant(workspaceId, 'update workspace_providers set config = config || $1', [
    { baseURL: attacker.baseURL },
  ]);

const stageNext = (identity: ProviderIdentity) =>
  management.client.stageRotation({ ...identity, secret: { apiKey: NEXT } });

async function activated(identity: ProviderIdentity): Promise<string> {
  const rotationId = await stageNext(identity);
  await store.beginRotation(rotationId, randomUUID());
  await store.advanceRotation(rotationId, 'checked');
  await store.activateRotation(rotationId);
  return rotationId;
}

const reachedAttacker = () => attacker.callsWith(FIRST) + attacker.callsWith(NEXT);
const rotations = () => management.client.rotations;

describe.each([
  ['an editor replaces address and secret', editAddress],
  ['a service of the workspace changes the address by SQL', editBySql],
])('if %s', (_who, change) => {
  it('after a rotation was staged, it does not begin, and its credential reaches no other host [G11]', async () => {
    const identity = await configured();
    const rotationId = await stageNext(identity);
    await change(identity);
    const beginning = store.beginRotation(rotationId, randomUUID());
    await expect(beginning).rejects.toMatchObject({ type: 'RotationFailed' });
    await expect(beginning).rejects.toThrow('the provider was changed since it was staged at version 1');
    await expect(rotations().check(rotationId)).rejects.toMatchObject({ type: 'CredentialUnreadable' });
    await expect(store.activateRotation(rotationId)).rejects.toMatchObject({ type: 'RotationFailed' });
    expect(reachedAttacker()).toBe(0);
  });

  it('after a rotation began, its credential reaches no other host and is not activated [G11]', async () => {
    const identity = await configured();
    const rotationId = await stageNext(identity);
    await store.beginRotation(rotationId, randomUUID());
    await change(identity);
    await expect(rotations().check(rotationId)).rejects.toMatchObject({ type: 'CredentialUnreadable' });
    await store.advanceRotation(rotationId, 'checked');
    await expect(store.activateRotation(rotationId)).rejects.toMatchObject({ type: 'RotationFailed' });
    expect(reachedAttacker()).toBe(0);
  });

  it('during an overlap, the previous credential is not restored and reaches no other host [G11]', async () => {
    const identity = await configured();
    const rotationId = await activated(identity);
    await change(identity);
    const rollBack = store.rollBackRotation(rotationId, 'a test');
    await expect(rollBack).rejects.toThrow('the provider has changed');
    expect(await rotations().revokePrevious(rotationId, NOW)).toMatchObject({ outcome: 'by-hand' });
    expect(reachedAttacker()).toBe(0);
  });
});

describe('a rotation whose provider was not changed', () => {
  it('checks the next credential at its own address, and restores the previous one', async () => {
    const identity = await configured();
    const rotationId = await stageNext(identity);
    await store.beginRotation(rotationId, randomUUID());
    expect(await rotations().check(rotationId)).toMatchObject({ detail: expect.stringContaining('list of models') });
    await store.advanceRotation(rotationId, 'checked');
    await store.activateRotation(rotationId);
    expect(await store.rollBackRotation(rotationId, 'a test')).toEqual({ version: 3 });
    expect(await management.only(identity.workspaceId)).toMatchObject({ readable: true, secret: { apiKey: '…a1b2' } });
  });
});

describe('a key that the service makes', () => {
  const admin = ({ workspaceId }: ProviderIdentity) => ({ workspaceId, type: 'llm-admin', name: 'openai' });
  const configureAdmin = (identity: ProviderIdentity, baseURL = projects.url) =>
    management.client.configureProvider({
      ...admin(identity),
      config: { baseURL, project: identity.workspaceId },
      secret: { adminKey: 'canary-admin-key-e5f6' },
    });

  async function issuing(identity: ProviderIdentity): Promise<string> {
    const rotationId = await management.client.stageRotation(identity);
    await store.beginRotation(rotationId, randomUUID());
    return rotationId;
  }

  it('is sealed for the address that the admin credential goes to', async () => {
    const identity = await configured('openai', projects.url);
    await configureAdmin(identity);
    const rotationId = await issuing(identity);
    await rotations().issue(rotationId, NOW);
    expect(projects.accounts(identity.workspaceId)).toHaveLength(1);
    await store.advanceRotation(rotationId, 'checked');
    await store.activateRotation(rotationId);
    const [llm] = await management.client.listProviders(identity.workspaceId);
    expect(llm).toMatchObject({ type: 'llm', readable: true });
  });

  it('is not made for a provider at another address, which would get the key [G11]', async () => {
    const identity = await configured('openai', projects.url);
    await configureAdmin(identity);
    await editAddress(identity);
    const issue = rotations().issue(await issuing(identity), NOW);
    await expect(issue).rejects.toMatchObject({ type: 'ProviderConfigInvalid', facts: { fields: ['config.baseURL'] } });
    await expect(issue).rejects.toThrow('it would go to another address than llm-admin/openai, which makes it');
    expect(projects.accounts(identity.workspaceId)).toEqual([]);
  });

  it('is not made if the provider was changed after the rotation began', async () => {
    const identity = await configured('openai', projects.url);
    await configureAdmin(identity);
    const rotationId = await issuing(identity);
    await editAddress(identity);
    await expect(rotations().issue(rotationId, NOW)).rejects.toMatchObject({ type: 'RotationFailed' });
    expect(projects.accounts(identity.workspaceId)).toEqual([]);
  });

  it('is not made with an admin key whose address was changed by SQL, which stays sealed [G11]', async () => {
    const identity = await configured('openai', projects.url);
    await configureAdmin(identity);
    await editBySql(identity);
    const adminBySql = rotations().discardIssued(await stageIssued(identity), NOW);
    await expect(adminBySql).rejects.toMatchObject({
      type: 'CredentialUnreadable',
      facts: { provider: admin(identity) },
    });
    expect(attacker.callsWith('canary-admin-key-e5f6')).toBe(0);
  });

  it('is revoked where it was made although the provider has another address by then', async () => {
    const identity = await configured('openai', projects.url);
    await configureAdmin(identity);
    const rotationId = await issuing(identity);
    await rotations().issue(rotationId, NOW);
    await editAddress(identity);
    expect(await rotations().discardIssued(rotationId, NOW)).toMatchObject({ outcome: 'revoked' });
    expect(projects.accounts(identity.workspaceId)).toEqual([]);
  });

  it('is shown to no admin API at another address than it was sealed for', async () => {
    const identity = await configured('openai', projects.url);
    await configureAdmin(identity);
    const rotationId = await issuing(identity);
    await rotations().issue(rotationId, NOW);
    await configureAdmin(identity, attacker.baseURL);
    expect(await rotations().discardIssued(rotationId, NOW)).toMatchObject({ outcome: 'by-hand' });
    expect(attacker.callsWith('canary-admin-key-e5f6')).toBe(0);
  });

  const stageIssued = (identity: ProviderIdentity) => management.client.stageRotation(identity);
});
