/** A stored provider is sealed and valid for its type, and an invalid one leaves nothing behind. */
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { uniqueName } from '../support/parts.js';
import { anthropicOf, CANARY, manageProviders, NEW_CANARY } from './management.js';

const management = manageProviders();
const providerRows = (workspaceId: string) =>
  management.query('select * from public.workspace_providers where workspace_id = $1', [workspaceId]);
const keyRows = (workspaceId: string) =>
  management.query('select * from public.workspace_keys where workspace_id = $1', [workspaceId]);

describe('configureProvider', () => {
  it('stores the secret sealed, and shows it masked [G1]', async () => {
    const workspaceId = uniqueName('ws');
    const config = { baseURL: 'https://models.example/v1' };
    const written = await management.client.configureProvider({
      ...anthropicOf(workspaceId),
      name: 'mine',
      config,
      secret: { apiKey: CANARY },
    });
    expect(written).toMatchObject({ workspaceId, type: 'llm', name: 'mine', version: 1, shown: { key: '…a1b2' } });
    expect(await management.only(workspaceId)).toMatchObject({
      name: 'mine',
      status: 'active',
      version: 1,
      readable: true,
      config,
      secret: { apiKey: '…a1b2' },
    });
    expect(JSON.stringify(await providerRows(workspaceId))).not.toContain(CANARY);
  });

  it('replaces the config and the secret of an existing provider', async () => {
    const identity = anthropicOf(uniqueName('ws'));
    await management.client.configureProvider({ ...identity, config: { model: 'large' }, secret: { apiKey: CANARY } });
    const { version } = await management.client.configureProvider({ ...identity, secret: { apiKey: NEW_CANARY } });
    expect(version).toBe(2);
    const { config, secret } = await management.only(identity.workspaceId);
    expect({ config, secret }).toEqual({ config: {}, secret: { apiKey: '…c3d4' } });
  });

  it('creates one data key per workspace, even for concurrent calls', async () => {
    const workspaceId = uniqueName('ws');
    const names = Array.from({ length: 8 }, (_, index) => `rpc-${index}`);
    const secret = { url: `https://rpc.example/${CANARY}` };
    const configure = (name: string) =>
      management.client.configureProvider({ workspaceId, type: 'rpc', name, config: { chainId: 1 }, secret });
    await Promise.all(names.map(configure));
    const providers = await management.client.listProviders(workspaceId);
    expect(providers.map(({ name, readable }) => ({ name, readable }))).toEqual(
      names.map((name) => ({ name, readable: true })),
    );
    expect(await keyRows(workspaceId)).toHaveLength(1);
  });

  it.each([
    ['an unknown type', { type: 'smtp' }, 'type'],
    ['an unknown name of a type with a fixed name', { type: 'tenderly', name: 'mine' }, 'name'],
    ['unicode in the name', { name: 'anthröpic' }, 'name'],
    ['a control character in the name', { name: 'anthropic\u0000' }, 'name'],
    ['a newline at the end of the name', { name: 'anthropic\n' }, 'name'],
    ['an invalid workspace id', { workspaceId: 'ws acme' }, 'workspaceId'],
    ['an invalid base URL', { name: 'mine', config: { baseURL: 'canary not a URL' } }, 'config.baseURL'],
    ['config of another type', { config: { chainId: 1 } }, 'config'],
    ['a secret of 10 MB', { secret: { apiKey: 'c'.repeat(10_000_000) } }, 'secret.apiKey'],
    ['headers that are too long in total', { type: 'rpc', config: { chainId: 1 }, secret: longHeaders() }, 'secret'],
    ['a secret with a newline', { secret: { apiKey: `${CANARY}\n` } }, 'secret.apiKey'],
    ['a masked secret', { secret: { apiKey: '…a1b2' } }, 'secret.apiKey'],
    ['no secret', { secret: {} }, 'secret.apiKey'],
    ['a secret that is not an object', { secret: CANARY as never }, 'secret'],
  ])('refuses %s, names the field, and writes nothing', async (_what, wrong, field) => {
    const identity = anthropicOf(uniqueName('ws'));
    const configuring = management.client.configureProvider({ ...identity, secret: { apiKey: CANARY }, ...wrong });
    await expect(configuring).rejects.toMatchObject({ type: 'ProviderConfigInvalid', facts: { fields: [field] } });
    await expect(configuring).rejects.not.toSatisfy((error) => inspect(error, { depth: null }).includes('canary'));
    expect(await providerRows(identity.workspaceId)).toEqual([]);
    expect(await keyRows(identity.workspaceId)).toEqual([]);
  });
});

/** Headers that are valid one by one, but too long in total. */
function longHeaders() {
  const headers = Array.from({ length: 10 }, (_, index) => [`x-${index}`, 'c'.repeat(8_000)] as const);
  return { url: `https://rpc.example/${CANARY}`, headers: Object.fromEntries(headers) };
}
