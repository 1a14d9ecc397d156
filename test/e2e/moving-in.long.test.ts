/**
 * Follows docs/moving-in.md with the page's own commands, in its order: a platform with keys in a table of our name, in
 * an encrypted column and in a `.env` file. The commands are a shell's, so psql must be on the path.
 */
import { createCipheriv, randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { parseEnv } from 'node:util';
import { expect, it } from 'vitest';
import { startPostgres } from '../../src/dev/postgres.js';
import { ProviderClient } from '../../src/management.js';
import { CLI, run } from '../cli/run-cli.js';
import { withSession, withUrl } from '../support/database.js';
import { useStage } from '../support/use-stage.js';
import { expectShown, readDrills, readScripts } from './page-drills.js';

const PAGE = 'moving-in.md';
const OLD_KEY = randomBytes(32);
const key = (name: string) => `canary-${name}-${randomBytes(8).toString('hex')}-a1b2`;
const KEYS = {
  table: key('table'),
  /** With characters that the text format of COPY would change. */
  awkward: String.raw`canary-\back"slash-${randomBytes(8).toString('hex')}`,
  encrypted: key('encrypted'),
  variable: key('variable'),
  first: key('first'),
  second: key('second'),
};

const stage = useStage(async (teardown) => {
  const folder = await mkdtemp(join(tmpdir(), 'moving-in-'));
  teardown.defer(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o755);
  // Its own server: the logins of `init` belong to a whole server.
  const server = await teardown.use(startPostgres());
  await withSession(server.url, async (session) => {
    await session.query("create role app login createrole password 'fixture'");
    await session.query('create database platform owner app');
  });
  const url = withUrl(server.url, { database: 'platform', login: 'app', password: 'fixture' });
  await withSession(url, async (session) => {
    await session.query(`
      create table workspace_providers (id serial primary key, workspace_id text, vendor text, api_key text, revoked_at date);
      create table encrypted_keys (workspace_id text, vendor text, encrypted_key text)`);
    await session.query(
      "insert into workspace_providers (workspace_id, vendor, api_key, revoked_at) values ('ws_acme', 'Anthropic', $1, null), ('ws_globex', 'openai', $2, null), ('ws_old', 'openai', 'gone', '2020-01-01')",
      [KEYS.table, KEYS.awkward],
    );
    await session.query("insert into encrypted_keys values ('ws_initech', 'anthropic', $1)", [encrypt(KEYS.encrypted)]);
  });
  const variables = {
    GEMINI_API_KEY: KEYS.variable,
    ANTHROPIC_API_KEY__ws_hooli: KEYS.first,
    ANTHROPIC_API_KEY__ws_piper: KEYS.second,
  };
  const text = Object.entries(variables).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(join(folder, '.env'), text.join(''), { mode: 0o600 });
  for (const [name, script] of readScripts(PAGE)) await writeFile(join(folder, name), script);
  const bin = join(folder, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'workspace-providers'), `#!/bin/sh\nexec '${process.execPath}' '${CLI}' "$@"\n`, {
    mode: 0o755,
  });
  const env = {
    PATH: [bin, process.env.PATH].join(delimiter),
    OLD_DATABASE_URL: url,
    OLD_ENCRYPTION_KEY: OLD_KEY.toString('base64'),
    PROVIDER_ADMIN_DATABASE_URL: url,
  };
  return {
    folder,
    async operate(commands: string) {
      const ran = await run('sh', ['-eu', '-c', `cd '${folder}'\nexec 2>&1\n${commands}`], { env });
      for (const secret of Object.values(KEYS)) expect(ran.stdout).not.toContain(secret);
      return { exitCode: ran.exitCode, shown: ran.stdout };
    },
  };
});

function encrypt(text: string): string {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', OLD_KEY, iv);
  return Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64');
}

it('the commands of the page move the keys of a platform in', { timeout: 180_000 }, async () => {
  const exitCodes: Readonly<Record<string, readonly number[]>> = {
    'A table `workspace_providers` that exists': [2, 0],
  };
  let steps = 0;
  for (const [heading, drills] of readDrills(PAGE)) {
    for (const [index, step] of drills.entries()) {
      expectShown(step, await stage.operate(step.text), exitCodes[heading]?.[index]);
      if (step.text.includes(' --dry-run')) {
        const imported = await stage.operate(step.text.replace(' --dry-run', ''));
        expect(imported, imported.shown).toMatchObject({ exitCode: 0, shown: expect.stringContaining('2 added') });
      }
      steps += 1;
    }
  }
  expect(steps).toBe(8);
  const { PROVIDER_MANAGER_DATABASE_URL: databaseUrl = '', ENCRYPTION_KEY } = parseEnv(
    await readFile(join(stage.folder, '.workspace-providers', 'manager.env'), 'utf8'),
  );
  const client = await ProviderClient.connect({ databaseUrl, env: { ENCRYPTION_KEY } });
  try {
    const shown = async (workspaceId: string) =>
      (await client.listProviders(workspaceId)).map(({ name, secret, readable }) => [name, secret.apiKey, readable]);
    const last = (text: string) => `…${text.slice(-4)}`;
    expect(await shown('ws_acme')).toEqual([
      ['anthropic', last(KEYS.table), true],
      ['gemini', last(KEYS.variable), true],
    ]);
    expect(await shown('ws_initech')).toEqual([['anthropic', last(KEYS.encrypted), true]]);
    expect(await shown('ws_hooli')).toEqual([['anthropic', last(KEYS.first), true]]);
    expect(await shown('ws_piper')).toEqual([['anthropic', last(KEYS.second), true]]);
    // The import compares plaintexts, so this shows that each character has arrived.
    const globex = { workspaceId: 'ws_globex', type: 'llm', name: 'openai', secret: { apiKey: KEYS.awkward } };
    expect(await client.importProviders([globex])).toMatchObject({ unchanged: 1 });
    expect(await shown('ws_old')).toEqual([]);
  } finally {
    await client.close();
  }
});
