/** The calls of a platform's own service in its process, with invalid input and with services that fail. */
import { CompactEncrypt } from 'jose/jwe/compact/encrypt';
import { ProviderClient } from '../../src/management.js';
import { ProviderTypes } from '../../src/providers/provider-types.js';
import { parseLocalKeyring } from '../../src/sealing/local-keyring.js';
import { createLogin } from '../../src/store/logins.js';
import { withSession } from '../../src/store/session.js';
import { LOOPBACK_POLICY } from '../../testbed/loopback.js';
import { destinationOf } from '../support/built-in-types.js';
import { FAILING } from './echo-service.js';
import { failingWorkspace, type Secrets, WORKING } from './providers.js';
import type { Stage } from './stage.js';
import type { Told } from './told.js';

/** Registers the plaintext data key of each workspace for the search. */
export async function plantDataKeys({ postgres, canaries, rootKeyring }: Stage): Promise<void> {
  const { rows } = await withSession(postgres.url, (session) =>
    session.query<{ workspace_id: string; kid: string; wrapped_key: string; root_key_id: string }>(
      'select workspace_id, kid, wrapped_key, root_key_id from workspace_keys',
    ),
  );
  for (const { workspace_id: workspaceId, kid, wrapped_key: wrappedKey, root_key_id: rootKeyId } of rows) {
    const bytes = await rootKeyring.unwrap({ kid, wrappedKey, rootKeyId }, workspaceId);
    canaries.bytes(`the data key of ${workspaceId}`, bytes);
  }
}

/** Writes a row that opens but is not JSON. Its sealed text is one of the secrets. */
export async function plantUnreadable({ postgres, canaries, rootKeyring }: Stage): Promise<void> {
  const secret = canaries.key('a sealed secret that is not JSON');
  const identity = { workspace_id: failingWorkspace('json-400'), provider_type: 'llm', provider_name: 'gemini' };
  await withSession(postgres.url, async (session) => {
    const { rows } = await session.query<{ kid: string; wrapped_key: string; root_key_id: string; config: object }>(
      `select kid, wrapped_key, root_key_id, config from workspace_keys join workspace_providers using (workspace_id)
        where (workspace_id, provider_type, provider_name) = ($1, $2, $3)`,
      [identity.workspace_id, identity.provider_type, identity.provider_name],
    );
    const { kid, wrapped_key: wrappedKey, root_key_id: rootKeyId, config } = rows[0]!;
    const key = await rootKeyring.unwrap({ kid, wrappedKey, rootKeyId }, identity.workspace_id);
    const destination = destinationOf(identity.provider_type, identity.provider_name, config);
    const header = { alg: 'dir', enc: 'A256GCM', typ: 'workspace-provider+jwe', kid, ...identity, destination };
    const sealed = await new CompactEncrypt(Buffer.from(secret)).setProtectedHeader(header).encrypt(key);
    await session.query(
      'update workspace_providers set encrypted_config = $1 where workspace_id = $2 and provider_type = $3 and provider_name = $4',
      [sealed, identity.workspace_id, identity.provider_type, identity.provider_name],
    );
  });
}

export async function callEverything(stage: Stage, secrets: Secrets, told: Told): Promise<void> {
  const { manager } = stage;
  await Promise.all([
    ...[WORKING, ...FAILING.map(failingWorkspace)].map(async (workspaceId) => {
      await told.result('a list', manager.listProviders(workspaceId));
      for (const { type, name } of await manager.listProviders(workspaceId)) {
        // A service that never answers is called once; the others fail at once.
        if (workspaceId === failingWorkspace('silent') && name !== 'anthropic') continue;
        await told.result('a check', manager.checkProvider({ workspaceId, type, name }));
      }
    }),
    misfits(stage, secrets, told),
    postgresFails(stage, secrets, told),
  ]);
}

async function misfits({ manager, canaries }: Stage, secrets: Secrets, told: Told): Promise<void> {
  const secret = canaries.key('a malformed secret');
  const llm = { workspaceId: WORKING, type: 'llm', name: 'openai' };
  const rpc = { workspaceId: WORKING, type: 'rpc', name: 'endpoint-1' };
  const malformed: [object, unknown][] = [
    ...[`${secret}\u0000`, `${secret}\n`, ` ${secret}`, secret.repeat(300), [secret], { secret }, 1n].map(
      (apiKey): [object, unknown] => [llm, { apiKey }],
    ),
    [llm, secret],
    [llm, { apiKey: secret, [secret]: secret }],
    ...[`https//${secret}`, `https://user:${secret}@`, `wss://${secret}/`, `http://10.0.0.1/${secret}`, secret].map(
      (url): [object, unknown] => [rpc, { url }],
    ),
    [rpc, { url: 'https://rpc.example/', headers: { [secret]: secret } }],
    [rpc, { url: 'https://rpc.example/', headers: { authorization: `${secret}\r\nx: ${secret}` } }],
  ];
  for (const [identity, misfit] of malformed) {
    const input = { ...identity, config: { chainId: 1 }, secret: misfit } as never;
    await told.result('an invalid secret', manager.configureProvider(input));
    const change = { identity, secret: misfit } as never;
    await told.result('an invalid change', manager.updateProvider(change));
  }
  for (const config of [{ baseURL: `https://user:${secret}@api.example` }, { baseURL: secret }, { [secret]: secret }]) {
    const input = { ...llm, config, secret: { apiKey: secrets.llm.openai as string } };
    await told.result('an invalid config', manager.configureProvider(input));
  }
  for (const keys of [secret, `id:${secret}`, `${secret}:`, `a:${secret},b:${secret}`]) {
    const parse = async () => parseLocalKeyring(keys);
    await told.result('an invalid root key', parse());
  }
}

/** Statements that are refused, cancelled and cut off. The server's log contains their parameters. */
async function postgresFails(
  { postgres, database, rootKeyring, canaries, encryptionKey }: Stage,
  secrets: Secrets,
  told: Told,
) {
  const hastyUrl = await createLogin(postgres.url, 'provider_manager');
  canaries.known('the database password of one more manager', new URL(hastyUrl).password);
  const hasty = ProviderClient.open({
    database: { databaseUrl: hastyUrl, queryTimeoutMs: 500 },
    rootKeyring,
    egress: LOOPBACK_POLICY,
    types: ProviderTypes.builtIn,
  });
  const change = () =>
    hasty.updateProvider({
      ...{ workspaceId: WORKING, type: 'llm', name: 'openai' },
      secret: { apiKey: secrets.llm.openai as string },
    });
  await withSession(postgres.url, async (session) => {
    await session.query('begin; lock table workspace_providers in access exclusive mode');
    await told.result('a statement that takes too long', change());
    await session.query('rollback');
    // Only its own: the commands run at the same time, with other logins.
    await session.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [
      decodeURIComponent(new URL(hastyUrl).username),
    ]);
  });
  await told.result('a connection that was ended', change());
  await hasty.close();
  const wrong = new URL(database.managerUrl);
  wrong.password = canaries.word('a wrong database password');
  const away = new URL(wrong);
  away.port = '1';
  for (const url of [wrong.href, away.href, wrong.href.replace('postgres:', 'postgres;')]) {
    const client = async () => {
      const connected = await ProviderClient.connect({ databaseUrl: url, rootKeys: rootKeyring, env: {} });
      await connected.close();
    };
    await told.result('a database that refuses the login', client());
  }
  const bad = { ENCRYPTION_KEY: encryptionKey.slice(0, -4), DATABASE_URL: `postgres//${wrong.password}` };
  await told.result('invalid settings', ProviderClient.connect({ env: bad }));
}
