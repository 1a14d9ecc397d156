/**
 * A secret goes nowhere but where it was sealed for, whoever changes `config`, and by whatever way. Here a service of the
 * workspace changes rows by SQL; the attacker's host counts what reaches it.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ProviderResolver } from '../../src/index.js';
import type { ProviderIdentity } from '../../src/protocol/references.js';
import { uniqueName } from '../support/parts.js';
import { manageProviders, NEW_CANARY } from './management.js';
import { type ModelsService, startModelsService } from './models-service.js';

const management = manageProviders();
let own: ModelsService;
let attacker: ModelsService;
let resolver: ProviderResolver;

beforeAll(async () => {
  own = await startModelsService('canary-own-key-a1b2');
  attacker = await startModelsService();
  resolver = await ProviderResolver.connect({ env: { ...management.workerEnv } });
});
afterAll(() => Promise.all([resolver?.close(), own?.stop(), attacker?.stop()]));

const SECRETS: Readonly<Record<string, object>> = {
  llm: { apiKey: 'canary-own-key-a1b2' },
  'llm-admin': { adminKey: 'canary-admin-key-a1b2' },
  tenderly: { accessKey: 'canary-access-key-a1b2' },
};

async function configured(type: string, name: string, config: object): Promise<ProviderIdentity> {
  const identity = { workspaceId: uniqueName('ws'), type, name };
  await management.client.configureProvider({ ...identity, config: { ...config }, secret: { ...SECRETS[type] } });
  return identity;
}

const setConfig = ({ workspaceId }: ProviderIdentity, config: object) =>
  management.asTenant(workspaceId, 'update workspace_providers set config = $1', [config]);

const changedWithoutSecret = (identity: ProviderIdentity) =>
  expect.objectContaining({
    type: 'CredentialUnreadable',
    message: expect.stringContaining('than its secret was sealed for: configure the provider again, with the secret'),
    facts: { provider: identity, fields: ['config', 'secret'] },
  });

describe('an address that a service of the workspace changed by SQL gets no secret [G11]', () => {
  const local = () => configured('llm', 'local', { baseURL: own.baseURL });

  it('from a step', async () => {
    const identity = await local();
    const reference = await resolver.resolveLlmKey({ workspaceId: identity.workspaceId, provider: 'local' });
    await setConfig(identity, { baseURL: attacker.baseURL });
    await management.client.awaitFence();
    let opened = 0;
    const step = resolver.withProvider(reference, async () => {
      opened += 1;
    });
    await expect(step).rejects.toEqual(changedWithoutSecret(identity));
    await expect(resolver.resolveLlmKey({ workspaceId: identity.workspaceId, provider: 'local' })).rejects.toEqual(
      changedWithoutSecret(identity),
    );
    expect(opened).toBe(0);
  });

  it('from a check, which the schedule runs too', async () => {
    const identity = await local();
    await setConfig(identity, { baseURL: attacker.baseURL });
    await expect(management.client.checkProvider(identity)).rejects.toEqual(changedWithoutSecret(identity));
    expect(attacker.callsWith('canary-own-key-a1b2')).toBe(0);
  });

  it('from a list, an update or a rotation, and the workspace works again once its secret is configured again', async () => {
    const identity = await local();
    const config = { baseURL: attacker.baseURL };
    await setConfig(identity, config);
    expect(await management.only(identity.workspaceId)).toMatchObject({
      readable: false,
      problem: 'CredentialUnreadable',
    });
    const updating = management.client.updateProvider({ ...identity, config: { model: 'large' } });
    await expect(updating).rejects.toEqual(changedWithoutSecret(identity));
    await management.client.configureProvider({ ...identity, config, secret: { apiKey: NEW_CANARY } });
    expect(await management.only(identity.workspaceId)).toMatchObject({ readable: true });
    await management.client.checkProvider(identity);
    expect(attacker.callsWith('canary-own-key-a1b2')).toBe(0);
  });

  it('even if the provider is disabled and enabled again', async () => {
    const identity = await local();
    await setConfig(identity, { baseURL: attacker.baseURL });
    await management.client.disableProvider(identity, { fence: false });
    await management.client.enableProvider(identity, { fence: false });
    await expect(management.client.checkProvider(identity)).rejects.toEqual(changedWithoutSecret(identity));
    expect(attacker.callsWith('canary-own-key-a1b2')).toBe(0);
  });

  it('even if the row is deleted and inserted again', async () => {
    const identity = await local();
    const { workspaceId } = identity;
    const [row] = await management.asTenant(workspaceId, 'select encrypted_config from workspace_providers');
    await management.asTenant(workspaceId, `select provider_api.remove_own_provider('llm', 'local')`);
    await management.asTenant(
      workspaceId,
      `insert into workspace_providers (workspace_id, provider_type, provider_name, config, encrypted_config)
        values ($1, 'llm', 'local', $2, $3)`,
      [workspaceId, { baseURL: attacker.baseURL }, row?.encrypted_config],
    );
    await expect(management.client.checkProvider(identity)).rejects.toEqual(changedWithoutSecret(identity));
  });

  it('nor does the key of one provider by the config of another, under whatever name or type', async () => {
    const identity = await local();
    const { workspaceId } = identity;
    const mine = { workspaceId, type: 'llm', name: 'mine' };
    const config = { baseURL: attacker.baseURL };
    await management.client.configureProvider({ ...mine, config, secret: { apiKey: NEW_CANARY } });
    await management.asTenant(
      workspaceId,
      `update workspace_providers set encrypted_config =
        (select encrypted_config from workspace_providers where provider_name = 'local') where provider_name = 'mine'`,
    );
    await expect(management.client.checkProvider(mine)).rejects.toMatchObject({ type: 'CredentialUnreadable' });
    await management.client.removeProvider(mine);
    await expect(
      management.query(`update workspace_providers set provider_name = 'mine' where workspace_id = $1`, [workspaceId]),
    ).rejects.toMatchObject({ code: '23001' });
    expect(attacker.callsWith('canary-own-key-a1b2')).toBe(0);
  });

  it('if the older config is put back under the newer secret, or the older secret under the newer config', async () => {
    const identity = await local();
    const { workspaceId } = identity;
    const [{ encrypted_config: older } = {}] = await management.asTenant(
      workspaceId,
      'select encrypted_config from workspace_providers',
    );
    const config = { baseURL: attacker.baseURL };
    await management.client.configureProvider({ ...identity, config, secret: { apiKey: NEW_CANARY } });
    await setConfig(identity, { baseURL: own.baseURL });
    await expect(management.client.checkProvider(identity)).rejects.toEqual(changedWithoutSecret(identity));
    expect(own.callsWith(NEW_CANARY)).toBe(0);
    const put = 'update workspace_providers set config = $1, encrypted_config = $2';
    await management.asTenant(workspaceId, put, [config, older]);
    await expect(management.client.checkProvider(identity)).rejects.toEqual(changedWithoutSecret(identity));
    expect(attacker.callsWith('canary-own-key-a1b2')).toBe(0);
    await management.asTenant(workspaceId, put, [{ baseURL: own.baseURL }, older]);
    expect(await management.client.checkProvider(identity), 'the older secret at its own address').toBeDefined();
  });
});

describe('a secret opens', () => {
  it.each<[string, string, string, object, object]>([
    ['with the default base URL in full', 'llm', 'anthropic', {}, { baseURL: 'https://api.anthropic.com' }],
    ['with the version at the end', 'llm', 'anthropic', {}, { baseURL: 'https://api.anthropic.com/v1/' }],
    ['without the default base URL', 'llm', 'openai', { baseURL: 'https://api.openai.com/v1' }, {}],
    ['in capitals', 'llm', 'mine', { baseURL: 'https://gw.example/v1' }, { baseURL: 'HTTPS://GW.Example/v1' }],
    [
      'with the default port',
      'llm',
      'mine',
      { baseURL: 'https://gw.example/v1' },
      { baseURL: 'https://gw.example:443/v1' },
    ],
    [
      'with slashes at the end',
      'llm',
      'mine',
      { baseURL: 'https://gw.example/v1' },
      { baseURL: 'https://gw.example/v1//' },
    ],
    [
      'an IDN in capitals',
      'llm',
      'mine',
      { baseURL: 'https://xn--mller-kva.example/v1' },
      { baseURL: 'https://XN--MLLER-KVA.example/v1' },
    ],
    ['with another model', 'llm', 'anthropic', { model: 'small' }, { model: 'large' }],
  ])('for the same address: %s', async (_how, type, name, before, after) => {
    const identity = await configured(type, name, before);
    await setConfig(identity, after);
    expect(await management.only(identity.workspaceId)).toMatchObject({ readable: true, version: 2 });
  });
});

describe('a secret does not open [G11]', () => {
  const mine = { baseURL: 'https://gw.example/v1' };
  it.each<[string, string, string, object, object]>([
    ['another host', 'llm', 'mine', mine, { baseURL: 'https://gw.example.attacker.example/v1' }],
    ['another port', 'llm', 'mine', mine, { baseURL: 'https://gw.example:8443/v1' }],
    ['another scheme', 'llm', 'mine', { baseURL: 'https://127.0.0.1/v1' }, { baseURL: 'http://127.0.0.1/v1' }],
    ['another path', 'llm', 'mine', mine, { baseURL: 'https://gw.example/mallory/v1' }],
    ['a path in capitals', 'llm', 'mine', mine, { baseURL: 'https://gw.example/V1' }],
    ['a dot after the host', 'llm', 'mine', mine, { baseURL: 'https://gw.example./v1' }],
    ['a base URL where there was none', 'llm', 'anthropic', {}, { baseURL: 'https://api.attacker.example' }],
    ['none where there was one', 'llm', 'anthropic', { baseURL: 'https://gw.example' }, {}],
    ['another organization', 'llm', 'openai', { organization: 'org-1' }, { organization: 'org-2' }],
    ['an organization', 'llm', 'openai', {}, { organization: 'org-1' }],
    ['another project', 'llm', 'openai', { project: 'proj_1' }, { project: 'proj_2' }],
    ['no project', 'llm', 'openai', { project: 'proj_1' }, {}],
    ['another account', 'tenderly', 'default', { account: 'acme', project: 'a' }, { account: 'mallory', project: 'a' }],
    [
      'another Tenderly project',
      'tenderly',
      'default',
      { account: 'acme', project: 'a' },
      { account: 'acme', project: 'b' },
    ],
    [
      'another Tenderly',
      'tenderly',
      'default',
      { account: 'acme', project: 'a' },
      { account: 'acme', project: 'a', baseURL: 'https://t.attacker.example' },
    ],
    ['another admin API', 'llm-admin', 'anthropic', {}, { baseURL: 'https://api.attacker.example' }],
    ['another project of an admin key', 'llm-admin', 'openai', { project: 'proj_1' }, { project: 'proj_2' }],
  ])('for %s', async (_what, type, name, before, after) => {
    const identity = await configured(type, name, before);
    await setConfig(identity, after);
    expect(await management.only(identity.workspaceId)).toMatchObject({
      readable: false,
      problem: 'CredentialUnreadable',
    });
  });

  it.each([
    ['a user', 'https://user@gw.example/v1'],
    ['a query', 'https://gw.example/v1?forward=https://attacker.example'],
    ['a fragment', 'https://gw.example/v1#a'],
    ['dots in the path', 'https://gw.example/v1/../mallory'],
    ['escaped dots in the path', 'https://gw.example/v1/%2e%2E/mallory'],
    ['a backslash', 'https://gw.example\\@attacker.example/v1'],
    ['an IDN that is not ASCII', 'https://gẃ.example/v1'],
    ['an address as one number', 'https://2130706433/v1'],
  ])('for a base URL with %s, which is refused', async (_what, baseURL) => {
    const identity = await configured('llm', 'mine', mine);
    await setConfig(identity, { baseURL });
    expect(await management.only(identity.workspaceId)).toMatchObject({
      readable: false,
      problem: 'ProviderConfigInvalid',
    });
  });
});

describe('an endpoint of a chain', () => {
  const endpoint = (workspaceId: string, name: string) => ({
    ...{ workspaceId, type: 'rpc', name, config: { chainId: 1 } },
    secret: { url: `https://${name}.example/canary-path-${name}`, headers: { 'x-token': `canary-token-${name}` } },
  });

  it('whose sealed text was replaced by that of another endpoint is passed over, and the others serve', async () => {
    const workspaceId = uniqueName('ws');
    for (const name of ['first', 'second']) await management.client.configureProvider(endpoint(workspaceId, name));
    await management.asTenant(
      workspaceId,
      `update workspace_providers set encrypted_config =
        (select encrypted_config from workspace_providers where provider_name = 'second') where provider_name = 'first'`,
    );
    const { endpoints, unusable } = await resolver.resolveRpcEndpoint({ workspaceId, chainId: 1 });
    expect(endpoints.map(({ name }) => name)).toEqual(['second']);
    expect(unusable).toEqual([{ name: 'first', failure: 'CredentialUnreadable' }]);
  });

  it('keeps no part of its secret if the rest of it changes: a gateway may forward by path, query or header [G11]', async () => {
    const identity = { workspaceId: uniqueName('ws'), type: 'rpc', name: 'first' };
    await management.client.configureProvider(endpoint(identity.workspaceId, 'first'));
    const kept = (...fields: string[]) => expect.objectContaining({ facts: expect.objectContaining({ fields }) });
    for (const url of [
      'https://first.example/attacker/rpc',
      'https://first.example/canary-path-first?forward=https://attacker.example',
      'https://first.example:8443/canary-path-first',
    ]) {
      const update = management.client.updateProvider({ ...identity, secret: { url } });
      await expect(update, url).rejects.toEqual(kept('secret.headers'));
    }
    for (const headers of [{ 'x-forward-to': 'https://attacker.example' }, null]) {
      const update = management.client.updateProvider({ ...identity, secret: { headers } });
      await expect(update).rejects.toEqual(kept('secret.url'));
    }
  });
});
