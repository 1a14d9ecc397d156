/** What `init` refuses, and that nothing is left behind then. */
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { setUp } from '../../../src/cli/setup/set-up.js';
import { SetupFolder } from '../../../src/cli/setup/setup-files.js';
import { withUrl } from '../../support/database.js';
import { ownedDatabases, ROLES, refusal, settingsIn } from './owned-databases.js';

const databases = ownedDatabases();

describe('a set-up is refused, before anything is written,', () => {
  it.each([
    ['a wrong password', { password: 'canary-password' }, 'Postgres refuses the login'],
    ['a database that does not exist', { database: 'canary_database' }, 'the database does not exist'],
  ])('for %s', async (_, to, problem) => {
    const database = await databases.create();
    const error = await refusal({ adminUrl: withUrl(database.adminUrl, to) }, database.folder);
    expect(error).toMatchObject({ type: 'SetupInvalid', facts: { fields: ['PROVIDER_ADMIN_DATABASE_URL'] } });
    expect(error.message).toContain(problem);
    expect(error.message).not.toContain('canary');
    await expect(stat(database.folder)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('for a server that does not answer', async () => {
    const error = await refusal({ adminUrl: 'postgres://admin:x@127.0.0.1:1/app' }, join(databases.root, 'away'));
    expect(error).toMatchObject({ type: 'StoreUnavailable' });
    expect(error.message).toContain('host and port in PROVIDER_ADMIN_DATABASE_URL');
  });

  it("for a worker's login, and the error names the setting of the administrator", async () => {
    const database = await databases.create();
    await setUp(database, new SetupFolder(database.folder));
    const { worker } = await settingsIn(database.folder);
    const error = await refusal(
      { adminUrl: worker.PROVIDER_DATABASE_URL ?? '', loginPrefix: 'p' },
      join(databases.root, 'worker'),
    );
    expect(error).toMatchObject({ type: 'SetupInvalid' });
    expect(error.message).toContain('set PROVIDER_ADMIN_DATABASE_URL to the URL of such a login');
  });

  it('for an owner who may create roles, if another login has created ours', async () => {
    const database = await databases.create();
    await databases.query('postgres', `revoke ${ROLES} from ${database.name}`);
    expect((await refusal(database, database.folder)).message).toContain(
      '(also if another login has created these roles) be granted provider_owner and provider_auditor',
    );
    await databases.query('postgres', `grant provider_owner, provider_auditor to ${database.name}`);
    expect((await refusal(database, database.folder)).message).toContain(
      '`grant provider_resolver to … with admin option`',
    );
  });

  it('for an owner who may not create roles', async () => {
    const database = await databases.create('nocreaterole');
    await databases.query('postgres', `grant provider_owner, provider_auditor to ${database.name}`);
    const error = await refusal(database, database.folder);
    expect(error.message).toContain(`may not create the login ${database.name}_worker with provider_resolver`);
    expect(await readdir(database.folder)).toEqual(['.gitignore']);
  });

  it('for the files of another database', async () => {
    const [one, two] = [await databases.create(), await databases.create()];
    await setUp(one, new SetupFolder(one.folder));
    const error = await refusal(two, one.folder);
    expect(error.message).toContain('worker.env is for another database than PROVIDER_ADMIN_DATABASE_URL');
    expect(await databases.loginsOf(two.name)).toEqual([]);
  });

  it('for a file that it would have to change', async () => {
    const database = await databases.create();
    await mkdir(database.folder);
    await writeFile(join(database.folder, 'worker.env'), 'OWN=1\n');
    const error = await refusal(database, database.folder);
    expect(error.message).toContain('worker.env has no PROVIDER_DATABASE_URL, ENCRYPTION_KEY, PROVIDER_GRANT_KEYS');
    expect(await readFile(join(database.folder, 'worker.env'), 'utf8')).toBe('OWN=1\n');
    expect(await databases.loginsOf(database.name)).toEqual([]);
  });

  it.each([
    ['a file in the place of the folder', async (folder: string) => writeFile(folder, ''), 'the folder'],
    [
      'a folder in the place of a file',
      (folder: string) => mkdir(join(folder, 'worker.env'), { recursive: true }),
      'cannot be read',
    ],
  ])('for %s', async (_, prepare, problem) => {
    const database = await databases.create();
    await prepare(database.folder);
    const error = await refusal(database, database.folder);
    expect(error).toMatchObject({ type: 'SetupInvalid', message: expect.stringContaining(problem) });
    expect(await databases.loginsOf(database.name)).toEqual([]);
  });

  it('for a folder in which nobody may write, not even root', async () => {
    const database = await databases.create();
    expect((await refusal(database, '/proc')).message).toContain('no file can be written in the folder');
    expect(await databases.loginsOf(database.name)).toEqual([]);
  });
});
