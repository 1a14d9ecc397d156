/** What our processes reveal through child processes, diagnostic reports and signals. Needs a build. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { isHarmless } from '../../src/config/harmless-variables.js';
import { hardenProcess, takeEnvironment, takeVariable } from '../../src/config/process-hardening.js';
import { readConfig } from '../../src/config/resolver-config.js';
import { Settings } from '../../src/config/settings.js';
import { SETTINGS } from '../../src/config/settings-table.js';

afterEach(() => vi.unstubAllEnvs());

describe('takeEnvironment', () => {
  const SECRETS = {
    DATABASE_URL: 'postgres://login:canary-password@db/providers',
    ENCRYPTION_KEY: 'canary-root-key',
    PROVIDER_PAYLOAD_KEY: 'canary-payload-key',
    PROVIDER_GRANT_SIGNING_KEY: 'canary-signing-key',
    TEMPORAL_API_KEY: 'canary-temporal-key',
    TEMPORAL_TLS_CLIENT_KEY_DATA: 'canary-client-key',
    TEMPORAL_GRPC_META_AUTHORIZATION: 'Bearer canary-metadata',
    TEMPORAL_CODEC_AUTH: 'canary-codec',
    PGPASSWORD: 'canary-pg-password',
    ANTHROPIC_API_KEY: 'canary-platform-key',
    ANTHROPIC_CUSTOM_HEADERS: 'Authorization: Bearer canary-header',
    OPENAI_ADMIN_KEY: 'canary-admin-key',
    TENDERLY_ACCESS_KEY: 'canary-tenderly-key',
    RPC_URL_1: 'https://rpc.example/canary-path',
    AWS_SECRET_ACCESS_KEY: 'canary-aws-key',
    AWS_SESSION_TOKEN: 'canary-aws-token',
    HTTPS_PROXY: 'http://login:canary-proxy@proxy:3128',
    https_proxy: 'http://login:canary-proxy@proxy:3128',
    NODE_AUTH_TOKEN: 'canary-npm-token',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=canary-otel',
    SENTRY_DSN: 'https://canary-sentry@sentry.example/1',
    SOMETHING_OF_A_PLATFORM: 'canary-of-another-name',
    lower_case: 'canary-in-lower-case',
  };

  it('returns the whole environment, and removes what is not known to be harmless [G19]', () => {
    const harmless = { PROVIDER_TASK_QUEUE: 'agents', LC_ALL: 'C.UTF-8', NODE_ENV: 'test', http_proxy: 'http://proxy' };
    for (const [name, value] of Object.entries({ ...SECRETS, ...harmless })) vi.stubEnv(name, value);
    expect(takeEnvironment()).toMatchObject({ ...SECRETS, ...harmless });
    expect(Object.entries(process.env).filter(([, value]) => value?.includes('canary'))).toEqual([]);
    expect(process.env).toMatchObject(harmless);
    expect(takeEnvironment()).toMatchObject(SECRETS);
  });

  it('leaves no setting of this package with a secret, and every other one [G19]', () => {
    const kinds = Object.entries(SETTINGS).map(([name, { kind }]) => [name, kind !== 'secret']);
    expect(kinds.map(([name]) => [name, isHarmless(String(name), 'text')])).toEqual(kinds);
  });

  it('reads the password that pg would look for in the environment later', () => {
    const read = (DATABASE_URL: string) =>
      new Settings({ DATABASE_URL, PGPASSWORD: 'pass:word/@' }).databaseUrl('DATABASE_URL');
    expect(read('postgres://login@db:5433/agents?sslmode=require')).toBe(
      'postgres://login:pass%3Aword%2F%40@db:5433/agents?sslmode=require',
    );
    expect(read('postgres://login:own@db/agents')).toBe('postgres://login:own@db/agents');
  });

  it('has a variant for one variable that the caller names: takeVariable', () => {
    vi.stubEnv('NEXT_ONE', 'canary-next-key');
    expect([takeVariable('NEXT_ONE'), process.env.NEXT_ONE, takeVariable('NEXT_ONE')]).toEqual([
      'canary-next-key',
      undefined,
      'canary-next-key',
    ]);
  });
});

describe('a process in which no certificate would be verified', () => {
  it.each<[string, () => unknown]>([
    ['hardenProcess', () => hardenProcess()],
    ['a connect', () => readConfig({ env: {} }, () => 'read')],
    ['a command, also after a file of settings was read', () => takeEnvironment()],
  ])('does not start: %s [G10]', (_, start) => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    expect(start).toThrow(/^NODE_TLS_REJECT_UNAUTHORIZED is 0, .* NODE_EXTRA_CA_CERTS$/);
    for (const harmless of ['1', '', 'false']) {
      vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', harmless);
      expect(start).not.toThrow();
    }
  });
});

const HARDENING = new URL('../../dist/config/process-hardening.js', import.meta.url).href;

/** Sends what a child and a report would see of the process, and whether SIGUSR1 opened an inspector. */
const SEEN = `
  import { spawnSync } from 'node:child_process';
  import inspector from 'node:inspector';
  import { setTimeout as delay } from 'node:timers/promises';
  import { hardenProcess, takeEnvironment } from ${JSON.stringify(HARDENING)};

  const hardened = process.argv[2] === 'hardened';
  if (hardened) {
    hardenProcess();
    takeEnvironment();
  }
  const print = ['-p', 'JSON.stringify(process.env)'];
  const child = spawnSync(process.execPath, print, { encoding: 'utf8' }).stdout;
  const report = JSON.stringify(process.report.getReport().environmentVariables ?? {});
  const listens = process.listenerCount('SIGUSR1') > 0;
  let arrived = false;
  if (listens) process.once('SIGUSR1', () => { arrived = true; });
  process.kill(process.pid, 'SIGUSR1');
  while (!arrived && !inspector.url()) await delay(10);
  process.send({ child, report, inspector: inspector.url() ?? 'closed' }, () => process.exit());
`;

describe('a process', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'workspace-providers-hardening-'));
    await writeFile(join(folder, 'seen.mjs'), SEEN);
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function seenOf(how: 'hardened' | 'as it is') {
    const env = { PATH: process.env.PATH, ENCRYPTION_KEY: 'canary-root-key', AWS_SESSION_TOKEN: 'canary-token' };
    const child = fork(join(folder, 'seen.mjs'), [how], {
      execArgv: ['--inspect-port=0'],
      env,
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    const [seen] = await once(child, 'message');
    return seen;
  }

  it('that is hardened reveals no secret to children and reports, and opens no inspector [G19]', async () => {
    const without = expect.not.stringContaining('canary');
    expect(await seenOf('hardened')).toEqual({ child: without, report: without, inspector: 'closed' });
  });

  it('that is not hardened reveals secrets to both, and opens an inspector', async () => {
    const canary = expect.stringContaining('canary');
    expect(await seenOf('as it is')).toEqual({
      child: canary,
      report: canary,
      inspector: expect.stringMatching(/^ws:/),
    });
  });
});
