/** What `init` does, on a server whose log has every statement. */
import { chmod, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { setUp } from '../../../src/cli/setup/set-up.js';
import { PART_NAMES, type SetupDestination, SetupFolder } from '../../../src/cli/setup/setup-files.js';
import { readManagerConfig } from '../../../src/config/manager-config.js';
import { GrantSigner } from '../../../src/grants/grant-signer.js';
import { GrantVerifier } from '../../../src/grants/grant-verifier.js';
import { ProviderClient } from '../../../src/management.js';
import { openProviderStore } from '../../../src/store/provider-store.js';
import { filesIn, type OwnedDatabase, ownedDatabases, refusal, settingsIn } from './owned-databases.js';

const databases = ownedDatabases();

describe('a set-up by an administrator who is not a superuser', () => {
  let database: OwnedDatabase;
  beforeAll(async () => {
    database = await databases.create();
    const done = await setUp(database, new SetupFolder(database.folder));
    expect(done.written).toEqual(PART_NAMES);
    expect(done.logins).toEqual([
      { login: `${database.name}_worker`, role: 'provider_resolver', created: true },
      { login: `${database.name}_manager`, role: 'provider_manager', created: true },
    ]);
  });

  it('writes files that only their owner can read, in a folder that git ignores [G20]', async () => {
    expect(await readdir(database.folder)).toHaveLength(4);
    expect(await readFile(join(database.folder, '.gitignore'), 'utf8')).toBe('*\n');
    for (const name of ['worker.env', 'starter.env', 'manager.env']) {
      expect((await stat(join(database.folder, name))).mode & 0o777).toBe(0o600);
    }
    expect((await stat(database.folder)).mode & 0o777).toBe(0o700);
  });

  it('makes a manager who can configure a provider, and a worker who can read it', async () => {
    const { worker, manager } = await settingsIn(database.folder);
    const client = ProviderClient.open(readManagerConfig({ env: manager }));
    const config = { baseURL: 'https://api.example.com/v1' };
    const provider = { workspaceId: 'ws_a', type: 'llm', name: 'mine', config, secret: { apiKey: 'canary-key-12345' } };
    await client.configureProvider(provider);
    await client.close();
    expect(worker.ENCRYPTION_KEY).toBe(manager.ENCRYPTION_KEY);
    const store = openProviderStore({ databaseUrl: worker.PROVIDER_DATABASE_URL ?? '' });
    expect((await store.readWorkspace('ws_a')).providers).toHaveLength(1);
    await store.close();
  });

  it('makes keys whose grants workers accept: the starter signs for workspaces, the manager for operators', async () => {
    const { worker, starter, manager } = await settingsIn(database.folder);
    const verifier = new GrantVerifier(worker.PROVIDER_GRANT_KEYS ?? '');
    const grant = { subject: 'ws_a', namespace: 'default', workflowIds: ['agent-1'] };
    const sign = (kind: 'workspace' | 'operator', { PROVIDER_GRANT_SIGNING_KEY = '' }: NodeJS.Dict<string>) =>
      new GrantSigner(PROVIDER_GRANT_SIGNING_KEY).sign(kind, grant);
    const workflow = { namespace: 'default', workflowId: 'agent-1' };
    const accepted = async (kind: 'workspace' | 'operator', env: NodeJS.Dict<string>) =>
      verifier.verify(kind, await sign(kind, env), workflow).then(
        () => true,
        () => false,
      );
    expect(await accepted('workspace', starter)).toBe(true);
    expect(await accepted('operator', manager)).toBe(true);
    expect(await accepted('workspace', manager)).toBe(false);
    expect(await accepted('operator', starter)).toBe(false);
    expect(worker.PROVIDER_GRANT_KEYS).not.toContain('"d"');
  });

  it('leaves no password in the log of a server that logs every statement [G20]', async () => {
    const { worker, manager } = await settingsIn(database.folder);
    await databases.query('postgres', "select 'canary-of-the-log'");
    const log = await readFile(databases.logFile, 'utf8');
    expect(log).toContain('canary-of-the-log');
    expect(log).toContain(`create role "${database.name}_worker" login password 'SCRAM-SHA-256$`);
    for (const url of [worker.PROVIDER_DATABASE_URL, manager.PROVIDER_MANAGER_DATABASE_URL]) {
      const { password } = new URL(url ?? '');
      expect(password.length).toBeGreaterThan(30);
      expect(log).not.toContain(password);
    }
  });

  it('changes nothing when it runs again, and reports what exists', async () => {
    const before = await filesIn(database.folder);
    const done = await setUp(database, new SetupFolder(database.folder));
    expect(done).toMatchObject({ applied: [], written: [] });
    expect(done.logins.map(({ created }) => created)).toEqual([false, false]);
    expect(await filesIn(database.folder)).toEqual(before);
  });

  it('reports files that other users can read', async () => {
    const destination = new SetupFolder(database.folder);
    expect(await destination.exposed()).toEqual([]);
    await chmod(destination.pathOf('worker'), 0o644);
    expect(await destination.exposed()).toEqual([destination.pathOf('worker')]);
    await chmod(destination.pathOf('worker'), 0o600);
  });

  it('says what to do about logins whose passwords are elsewhere, and leaves them as they are', async () => {
    const error = await refusal(database, join(databases.root, 'elsewhere'));
    expect(error).toMatchObject({ type: 'SetupInvalid' });
    expect(error.message).toContain(`the login ${database.name}_worker exists, but its password is not known here`);
    expect(error.message).toContain(`the login ${database.name}_manager exists`);
    expect(await readdir(join(databases.root, 'elsewhere'))).toEqual(['.gitignore']);
    const done = await setUp(
      { ...database, loginPrefix: 'other', rootKeys: 'k:x' },
      new SetupFolder(join(databases.root, 'x')),
    ).catch((thrown) => thrown);
    expect(done.message).toContain('ENCRYPTION_KEY entry 1 has a key that is not base64');
  });

  it('does not make another root key for a database that has sealed data', async () => {
    const folder = join(databases.root, 'no-root-key');
    const options = { ...database, loginPrefix: `${database.name}_second` };
    const error = await refusal(options, folder);
    expect(error.message).toBe(
      'ENCRYPTION_KEY is not set, and the database has data that is sealed under a root key: set it to that root key',
    );
    const { manager } = await settingsIn(database.folder);
    await setUp({ ...options, rootKeys: manager.ENCRYPTION_KEY }, new SetupFolder(folder));
    expect((await settingsIn(folder)).worker.ENCRYPTION_KEY).toBe(manager.ENCRYPTION_KEY);
  });

  it.each(['starter', 'manager'] as const)(
    'says what to do if %s.env is missing, because workers accept only its key',
    async (part) => {
      const path = join(database.folder, `${part}.env`);
      await rename(path, `${path}.away`);
      const error = await refusal(database, database.folder);
      await rename(`${path}.away`, path);
      expect(error.message).toContain(`${part}.env is missing, and worker.env accepts only the signing key`);
    },
  );

  it('says which file has a password that the server refuses', async () => {
    const path = join(database.folder, 'worker.env');
    const content = await readFile(path, 'utf8');
    await writeFile(path, content.replace(/worker:[^@]+@/, 'worker:canary-password@'));
    const error = await refusal(database, database.folder);
    await writeFile(path, content);
    expect(error.message).toContain('worker.env: Postgres refuses the login');
  });
});

describe('a set-up that failed half-way', () => {
  const failing = (folder: string, at: (part: string) => boolean): SetupDestination => {
    const destination = new SetupFolder(folder);
    return {
      read: () => destination.read(),
      async write(part, settings) {
        if (at(part)) throw new Error('the disk is full');
        await destination.write(part, settings);
      },
    };
  };

  it.each(PART_NAMES)(
    'leaves no login if %s.env cannot be written, and is completed by the next run',
    async (failed) => {
      const database = await databases.create();
      await expect(
        setUp(
          database,
          failing(database.folder, (part) => part === failed),
        ),
      ).rejects.toBeDefined();
      expect(await databases.loginsOf(database.name)).toEqual([]);
      const before = await filesIn(database.folder);
      await setUp(database, new SetupFolder(database.folder));
      expect(await databases.loginsOf(database.name)).toEqual([`${database.name}_manager`, `${database.name}_worker`]);
      expect(await filesIn(database.folder)).toMatchObject(before);
    },
  );

  it('creates the logins of files that were written before the server lost the transaction', async () => {
    const database = await databases.create();
    await setUp(database, new SetupFolder(database.folder));
    const before = await filesIn(database.folder);
    await databases.query(database.name, `drop role ${database.name}_worker, ${database.name}_manager`);
    const done = await setUp(database, new SetupFolder(database.folder));
    expect(done.logins.map(({ created }) => created)).toEqual([true, true]);
    expect(await filesIn(database.folder)).toEqual(before);
  });
});

describe('set-ups at the same time', () => {
  it('in one folder make one set-up', async () => {
    const database = await databases.create();
    const runs = await Promise.all([1, 2, 3].map(() => setUp(database, new SetupFolder(database.folder))));
    expect(runs.flatMap(({ written }) => written).sort()).toEqual([...PART_NAMES].sort());
    expect(new Set(runs.map(({ settings }) => JSON.stringify(settings))).size).toBe(1);
  });

  it('in two folders make one set-up, and the other is told', async () => {
    const database = await databases.create();
    const folders = [join(databases.root, 'left'), join(databases.root, 'right')];
    const runs = await Promise.allSettled(folders.map((folder) => setUp(database, new SetupFolder(folder))));
    expect(runs.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });
});

describe('a database that only named logins may connect to', () => {
  it('lets the new logins in', async () => {
    const database = await databases.create();
    await databases.query('postgres', `revoke connect on database ${database.name} from public`);
    await setUp(database, new SetupFolder(database.folder));
  });
});
