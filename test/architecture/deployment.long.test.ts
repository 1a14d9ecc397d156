/**
 * The container setup, as far as it can be checked without Docker: the compose file, the `.env` that `.env.example`
 * makes, and `docker/databases.sql` on a real Postgres. The images themselves are not run here.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SETTINGS } from '../../src/config/settings-table.js';
import type { PostgresPart } from '../../src/dev/postgres.js';
import { parseLocalKeyring } from '../../src/sealing/local-keyring.js';
import { migrate } from '../../src/store/migrate.js';
import { openProviderStore } from '../../src/store/provider-store.js';
import { passwordOf, readServices, readText, type Service, startComposePostgres } from './compose.js';
import { createScratchProject, REPOSITORY, run } from './scratch-project.js';

const TIMEOUT_MS = 60_000;

describe('docker-compose.yml', () => {
  let text: string;
  let services: [name: string, service: Service][];
  let dockerfile: string;

  beforeAll(async () => {
    text = await readText('docker-compose.yml');
    services = Object.entries(await readServices());
    dockerfile = await readText('Dockerfile');
  });

  const isHealthChecked = ({ build, healthcheck }: Service) =>
    healthcheck ? healthcheck.test !== undefined : build !== undefined && /^HEALTHCHECK .*CMD/m.test(dockerfile);

  it('holds no secret: each comes from a volume, or from a variable without which the start fails with a reason [G20]', async () => {
    const values = services.flatMap(([, { environment }]) => Object.entries(environment ?? {}));
    const secrets = values.filter(([name]) => /PASSWORD|PWD|KEY|SECRET|TOKEN|DATABASE_URL/.test(name));
    expect(secrets.length).toBeGreaterThan(8);
    for (const [name, value] of secrets) {
      expect(`${name}=${value}`).toMatch(
        /=(postgres:\/\/\w+:\$\{\w+\}@postgres:5432\/providers|\$\{\w+(:\?.+)?\}|\/grants\/.+)$/,
      );
    }
    const used = new Set(Array.from(text.matchAll(/\$\{(\w+)/g), ([, name]) => name));
    const required = new Set(Array.from(text.matchAll(/\$\{(\w+):\?[^}]+see \.env\.example\}/g), ([, name]) => name));
    const explained = (await readText('.env.example')).match(/^\w+(?==$)/gm);
    expect([...required].sort()).toEqual([...used].sort());
    expect([...(explained ?? [])].sort()).toEqual([...used].sort());
  });

  it('checks the health of every long-running service, and starts each service after those that it needs', () => {
    const staying = services.filter(([, { restart }]) => restart === 'unless-stopped');
    expect(staying.map(([name]) => name)).toEqual(['postgres', 'temporal', 'temporal-ui', 'worker', 'operations']);
    expect(staying.filter(([, service]) => !isHealthChecked(service))).toEqual([]);

    const byName = Object.fromEntries(services);
    for (const [name, { depends_on }] of services) {
      for (const [on, { condition }] of Object.entries(depends_on ?? {})) {
        const expected = isHealthChecked(byName[on]!) ? 'service_healthy' : 'service_completed_successfully';
        expect(`${name} waits for ${on}: ${condition}`).toBe(`${name} waits for ${on}: ${expected}`);
      }
    }
  });

  it('runs two workers, and publishes ports only on loopback [G20]', () => {
    expect(Object.fromEntries(services).worker?.deploy?.replicas).toBe(2);
    expect(services.flatMap(([, { ports }]) => ports ?? []).filter((port) => !port.startsWith('127.0.0.1:'))).toEqual(
      [],
    );
  });

  it('lets none of our processes write a core file [G20]', () => {
    const ours = services.filter(([, { build }]) => build !== undefined);
    expect(ours.map(([name]) => name)).toContain('worker');
    expect(ours.filter(([, { ulimits }]) => ulimits?.core !== 0)).toEqual([]);
  });

  it('sets only variables that its programs read', () => {
    const ours = services.filter(([, { build }]) => build !== undefined);
    const names = new Set(ours.flatMap(([, { environment }]) => Object.keys(environment ?? {})));
    expect([...names]).toEqual(expect.arrayContaining(['PROVIDER_DATABASE_URL', 'PROVIDER_ADMIN_DATABASE_URL']));
    const settings = [...Object.keys(SETTINGS), 'TEMPORAL_ADDRESS', 'TEMPORAL_NAMESPACE'];
    expect([...names].filter((name) => !settings.includes(name))).toEqual([]);
  });

  it('gives each program the database URL of its own login', () => {
    const urls = services.flatMap(([name, { environment }]) =>
      Object.entries(environment ?? {})
        .filter(([setting]) => setting.endsWith('DATABASE_URL'))
        .map(([setting, url]) => `${name}: ${setting} of ${new URL(String(url)).username}`),
    );
    expect(urls).toEqual([
      'migrate: PROVIDER_ADMIN_DATABASE_URL of migration',
      'worker: PROVIDER_DATABASE_URL of worker',
      'operations: PROVIDER_DATABASE_URL of worker',
      'operations: PROVIDER_MANAGER_DATABASE_URL of manager',
      'cli: PROVIDER_MANAGER_DATABASE_URL of manager',
    ]);
  });

  it('runs our image as a user who is not root [G20]', () => {
    const [, lastStage] = /.*^FROM (.*)$/ms.exec(dockerfile) ?? [];
    expect(lastStage?.match(/^USER \w+$/gm)).toEqual(['USER node']);
  });
});

describe('Dockerfile', () => {
  it('copies only what .dockerignore lets through', async () => {
    const [everything, ...exceptions] = (await readText('.dockerignore')).match(/^[^#\n]+$/gm) ?? [];
    expect(everything).toBe('*');
    const allowed = exceptions.map((line) => line.replace(/^!/, ''));
    const copied = Array.from((await readText('Dockerfile')).matchAll(/^COPY (?!--from)(.+) \S+$/gm), ([, paths]) =>
      (paths ?? '').split(' ').map((path) => path.replace(/\/$/, '')),
    ).flat();
    expect(copied).toEqual(expect.arrayContaining(['src', 'docker/healthcheck.mjs']));
    expect(copied.filter((path) => !existsSync(join(REPOSITORY, path)))).toEqual([]);
    expect(copied.filter((path) => !allowed.some((each) => path === each || path.startsWith(`${each}/`)))).toEqual([]);
    expect(allowed.filter((each) => !copied.includes(each))).toEqual([]);
  });
});

describe('.env.example', () => {
  it('contains commands that make a valid .env', { timeout: TIMEOUT_MS }, async () => {
    const project = await createScratchProject(['.env.example']);
    try {
      const recipe = (await readText('.env.example')).match(/^# {3}.*$/gm)?.map((line) => line.slice(1));
      const { exitCode, stderr } = await run(project.folder, 'sh', ['-c', recipe?.join('\n') ?? 'false']);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      const env = await readFile(join(project.folder, '.env'), 'utf8');
      const made = new Map(Array.from(env.matchAll(/^(\w+)=(.+)$/gm), ([, name = '', value]) => [name, value]));
      expect(() => parseLocalKeyring(made.get('ENCRYPTION_KEY'))).not.toThrow();
      made.delete('ENCRYPTION_KEY');
      expect([...made.values()].every((password) => /^[0-9a-f]{48}$/.test(password ?? ''))).toBe(true);
      expect(new Set(made.values()).size).toBe(5);
    } finally {
      await project.remove();
    }
  });
});

describe('docker/databases.sql', () => {
  let postgres: PostgresPart;

  /** A URL for one of the logins that the script creates. */
  function urlFor(login: string, database: string): string {
    const url = new URL(postgres.url);
    url.username = login;
    url.password = passwordOf(login);
    url.pathname = `/${database}`;
    return url.href;
  }

  async function tryConnect(url: string): Promise<'connected' | string | undefined> {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => {});
    try {
      await client.connect();
      return 'connected';
    } catch (error) {
      return (error as pg.DatabaseError).code;
    } finally {
      await client.end();
    }
  }

  beforeAll(async () => {
    postgres = await startComposePostgres();
  }, TIMEOUT_MS);

  afterAll(() => postgres?.stop());

  it('creates a login that can migrate, and a login that a worker can use', { timeout: TIMEOUT_MS }, async () => {
    expect(await migrate(urlFor('migration', 'providers'))).not.toEqual([]);
    const store = openProviderStore({ databaseUrl: urlFor('worker', 'providers') });
    try {
      await store.preflight();
      expect(await store.readWorkspace('ws_acme')).toMatchObject({ providers: [] });
    } finally {
      await store.close();
    }
  });

  it('limits each login to its own database [G20]', { timeout: TIMEOUT_MS }, async () => {
    const refused = '42501';
    expect(await tryConnect(urlFor('manager', 'providers'))).toBe('connected');
    expect(await tryConnect(urlFor('temporal', 'temporal_visibility'))).toBe('connected');
    expect(await tryConnect(urlFor('worker', 'temporal'))).toBe(refused);
    expect(await tryConnect(urlFor('worker', 'postgres'))).toBe(refused);
    expect(await tryConnect(urlFor('temporal', 'providers'))).toBe(refused);
  });
});
