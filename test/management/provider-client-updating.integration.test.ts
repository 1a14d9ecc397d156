/** An update changes the named fields of the expected version, and sends no secret to another address. */
import { describe, expect, it } from 'vitest';
import { uniqueName } from '../support/parts.js';
import { anthropicOf, manageProviders, NEW_CANARY } from './management.js';

const management = manageProviders();
describe('updateProvider', () => {
  it('treats a masked secret as unchanged, and does not count it as rotated', async () => {
    const identity = await management.configured();
    const before = await management.only(identity.workspaceId);
    await management.client.updateProvider({ ...identity, config: { model: 'large' }, secret: { apiKey: '…a1b2' } });
    const after = await management.only(identity.workspaceId);
    expect(after).toMatchObject({ version: 2, config: { model: 'large' }, secret: { apiKey: '…a1b2' } });
    expect(after.rotatedAt).toEqual(before.rotatedAt);
  });

  it('does not overwrite the current secret with the mask of an older one', async () => {
    const identity = await management.configured();
    await management.client.updateProvider({ ...identity, secret: { apiKey: NEW_CANARY } });
    const late = management.client.updateProvider({ ...identity, secret: { apiKey: '…a1b2' } });
    await expect(late).rejects.toMatchObject({ type: 'ProviderConfigInvalid', facts: { fields: ['secret.apiKey'] } });
    expect(await management.only(identity.workspaceId)).toMatchObject({ version: 2, secret: { apiKey: '…c3d4' } });
  });

  it('does not send a secret to a new address unless it is given again [G11]', async () => {
    const identity = await management.configured();
    const config = { baseURL: 'https://api.attacker.example' };
    const refused = management.client.updateProvider({ ...identity, config });
    await expect(refused).rejects.toMatchObject({
      type: 'ProviderConfigInvalid',
      facts: { fields: ['secret.apiKey'] },
    });
    expect((await management.only(identity.workspaceId)).config).toEqual({});
    const { version } = await management.client.updateProvider({ ...identity, config, secret: { apiKey: NEW_CANARY } });
    expect(version).toBe(2);
  });

  it('accepts one of two updates of the same version, and fails the other with ProviderChanged', async () => {
    const identity = await management.configured();
    const edits = ['large', 'small'].map((model) =>
      management.client.updateProvider({ ...identity, config: { model }, expectedVersion: 1 }),
    );
    const outcomes = await Promise.allSettled(edits);
    const [refused] = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
    expect(refused?.reason).toMatchObject({ type: 'ProviderChanged', facts: { fields: ['expectedVersion'] } });
    expect(await management.only(identity.workspaceId)).toMatchObject({ version: 2 });
  });

  it('does not change a provider whose secret cannot be opened', async () => {
    const identity = await management.configured();
    await management.query('delete from public.workspace_keys where workspace_id = $1', [identity.workspaceId]);
    const updating = management.client.updateProvider({ ...identity, config: { model: 'large' } });
    await expect(updating).rejects.toMatchObject({ type: 'CredentialUnreadable' });
    await management.client.configureProvider({ ...identity, secret: { apiKey: NEW_CANARY } });
    expect(await management.only(identity.workspaceId)).toMatchObject({ readable: true });
  });

  it('fails with ProviderNotConfigured if there is no such provider', async () => {
    const updating = management.client.updateProvider({ ...anthropicOf(uniqueName('ws')), config: {} });
    await expect(updating).rejects.toMatchObject({ type: 'ProviderNotConfigured' });
  });
});

/** No worker runs in this file. */
const NO_WORKERS = { complete: true, workers: [] };

describe('disableProvider, enableProvider and removeProvider', () => {
  it('keep a provider disabled, even if its key is replaced', async () => {
    const identity = await management.configured();
    expect(await management.client.disableProvider(identity)).toMatchObject({
      ...identity,
      version: 2,
      fence: NO_WORKERS,
    });
    await management.client.configureProvider({ ...identity, secret: { apiKey: NEW_CANARY } });
    expect(await management.only(identity.workspaceId)).toMatchObject({ status: 'disabled' });
    expect(await management.client.enableProvider(identity)).toMatchObject({ version: 4, fence: NO_WORKERS });
  });

  it('remove one provider, and fail with ProviderNotConfigured if there is none', async () => {
    const identity = await management.configured();
    await management.client.removeProvider(identity);
    expect(await management.client.listProviders(identity.workspaceId)).toEqual([]);
    await expect(management.client.removeProvider(identity)).rejects.toMatchObject({ type: 'ProviderNotConfigured' });
    await expect(management.client.enableProvider(identity)).rejects.toMatchObject({
      type: 'ProviderNotConfigured',
    });
  });
});
