/** A list shows no secret, and an invalid row does not prevent the others from being shown. */
import { describe, expect, it } from 'vitest';
import { uniqueName } from '../support/parts.js';
import { anthropicOf, CANARY, manageProviders, NEW_CANARY, newRootKey } from './management.js';

const management = manageProviders();

describe('listProviders', () => {
  it('shows a row that cannot be opened as not readable, and shows the others', async () => {
    const identity = await management.configured();
    const { workspaceId } = identity;
    await management.client.configureProvider({ ...identity, name: 'openai', secret: { apiKey: CANARY } });
    await management.query(
      `update public.workspace_providers set encrypted_config = (
           select encrypted_config from public.workspace_providers where workspace_id = $1 and provider_name = 'openai'
         ) where workspace_id = $1 and provider_name = 'anthropic'`,
      [workspaceId],
    );
    const [pasted, other] = await management.client.listProviders(workspaceId);
    const unreadable = { readable: false, problem: 'CredentialUnreadable', config: {}, secret: {}, shown: {} };
    expect(pasted).toEqual(expect.objectContaining(unreadable));
    expect(other).toMatchObject({ name: 'openai', readable: true });
  });

  it('shows no invalid config, because it may contain a secret', async () => {
    const { workspaceId } = await management.configured();
    await management.query('update public.workspace_providers set config = $2 where workspace_id = $1', [
      workspaceId,
      { apiKey: CANARY },
    ]);
    const providers = await management.client.listProviders(workspaceId);
    expect(providers).toEqual([
      expect.objectContaining({ readable: false, problem: 'ProviderConfigInvalid', config: {} }),
    ]);
    expect(JSON.stringify(providers)).not.toContain(CANARY);
  });

  it('shows a secret under another root key as not readable, and does not change it', async () => {
    const { workspaceId } = await management.configured();
    const stranger = management.managerWith(newRootKey());
    try {
      const [listed] = await stranger.listProviders(workspaceId);
      expect(listed).toMatchObject({ readable: false, problem: 'CredentialUnreadable' });
      const configuring = stranger.configureProvider({ ...anthropicOf(workspaceId), secret: { apiKey: NEW_CANARY } });
      await expect(configuring).rejects.toMatchObject({ type: 'CredentialUnreadable' });
    } finally {
      await stranger.close();
    }
    expect(await management.only(workspaceId)).toMatchObject({ readable: true, version: 1 });
  });

  it('returns an empty list for a workspace without providers', async () => {
    expect(await management.client.listProviders(uniqueName('ws'))).toEqual([]);
  });
});
