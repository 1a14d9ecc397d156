/** Rotations of a provider type that a user defined, whose service creates and deletes keys. */
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { defineProviderType } from '../../../src/providers/define-type.js';
import { secretKey, serviceURL } from '../../../src/providers/fields.js';
import type { CheckContext } from '../../../src/providers/type.js';
import { startService } from '../../providers/local-service.js';
import { newWorkspace, UNFENCED } from '../../support/agent-stage.js';
import { useRotationStage } from '../../support/rotation-stage.js';

interface Admin {
  readonly baseURL: string;
  readonly apiKey: string;
}

interface SearchKey {
  readonly id: string;
  readonly label: string;
  readonly key: string;
}

/** A user's own calls of the admin API. */
async function asked<Body>({ baseURL, apiKey }: Admin, { fetch, signal }: CheckContext, path: string, init = {}) {
  const response = await fetch(`${baseURL}${path}`, { ...init, signal, headers: { 'x-admin': apiKey } });
  return (await response.json()) as Body;
}

const common = {
  config: { baseURL: serviceURL() },
  secret: { apiKey: secretKey },
  destination: ({ config }: { config: { baseURL: string } }) => config.baseURL,
};

const searchAdmin = defineProviderType({ type: 'search-admin', ...common });

const search = defineProviderType({
  ...{ type: 'search', ...common },
  sentIn: ({ secret }) => ({ headers: { 'x-key': secret.apiKey } }),
  probe: () => ({ path: '/me', accepts: () => 'the service knows the key' }),
  keyIssuer: {
    adminType: 'search-admin',
    async issue(admin, { label }, context) {
      const init = { method: 'POST', body: label };
      const { id, key } = await asked<SearchKey>(admin as Admin, context, '/keys', init);
      return { secret: { apiKey: key }, keyId: id };
    },
    async discard(admin, { label }, context) {
      const keys = await asked<SearchKey[]>(admin as Admin, context, '/keys');
      for (const { id } of keys.filter((each) => each.label === label))
        await asked(admin as Admin, context, `/keys/${id}`, { method: 'DELETE' });
    },
    async revoke(admin, { keyId }, context) {
      if (keyId === undefined) return { outcome: 'by-hand', detail: 'delete the first key at search.example' };
      await asked(admin as Admin, context, `/keys/${keyId}`, { method: 'DELETE' });
      return { outcome: 'revoked', detail: 'the service deleted the key' };
    },
  },
});

const stage = useRotationStage({ types: [search, searchAdmin] });

const newKey = () => {
  const key = randomBytes(36).toString('hex');
  stage.secrets.push(key);
  return key;
};

/** A service with an admin API. It knows which keys are valid. */
async function startSearch(adminKey: string, firstKey: string) {
  const keys: SearchKey[] = [{ id: 'key-0', label: 'made by hand', key: firstKey }];
  let made = 0;
  const { url } = await startService(({ method, path, headers, body }) => {
    if (path === '/me') {
      const isValid = keys.some(({ key }) => key === headers['x-key']);
      return isValid ? { status: 200, body: {} } : { status: 401, body: { error: 'unknown key' } };
    }
    if (headers['x-admin'] !== adminKey) return { status: 403, body: { error: 'not an admin' } };
    if (method === 'GET') return { status: 200, body: keys.map(({ id, label }) => ({ id, label })) };
    if (method === 'POST') {
      made += 1;
      const issued = { id: `key-${made}`, label: body, key: newKey() };
      keys.push(issued);
      return { status: 200, body: issued };
    }
    const index = keys.findIndex(({ id }) => path === `/keys/${id}`);
    return { status: 200, body: { deleted: keys.splice(index, index < 0 ? 0 : 1).length } };
  });
  return { url, ids: () => keys.map(({ id }) => id) };
}

test('a rotation issues a key by the code of the type, and revokes by it the key that the rotation before issued [G4]', async () => {
  const [adminKey, firstKey] = [newKey(), newKey()];
  const { url: baseURL, ids } = await startSearch(adminKey, firstKey);
  const provider = { workspaceId: newWorkspace(), type: 'search', name: 'default' };
  const config = { baseURL };
  await stage.manager.configureProvider({ ...provider, config, secret: { apiKey: firstKey } }, UNFENCED);
  const admin = { ...provider, type: 'search-admin', config, secret: { apiKey: adminKey } };
  await stage.manager.configureProvider(admin, UNFENCED);

  const first = await stage.rotations.rotate(provider);
  expect(await first.result()).toMatchObject({
    ...{ state: 'drained', fromVersion: 1, toVersion: 2, check: { outcome: 'ok' } },
    revocation: { outcome: 'by-hand', detail: 'delete the first key at search.example' },
  });
  const second = await stage.rotations.rotate(provider);
  expect(await second.result()).toMatchObject({
    ...{ state: 'revoked', fromVersion: 2, toVersion: 3, check: { outcome: 'ok' } },
    revocation: { outcome: 'revoked', detail: 'the service deleted the key' },
  });
  expect(ids()).toEqual(['key-0', 'key-2']);
  for (const handle of [first, second]) expect(await stage.leaksOf(handle)).toEqual([]);
});
