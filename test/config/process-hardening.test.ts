/** What our processes reveal through child processes, diagnostic reports and signals. Needs a build. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { isHarmless } from '../../src/config/harmless-variables.js';
import { hardenProcess, setVariable, takeEnvironment, takeVariable } from '../../src/config/process-hardening.js';
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
    const harmless = { PROVIDER_TASK_QUEUE: 'agents', LC_ALL: 'C.UTF-8', NODE_ENV: 'test', grpc_proxy: 'http://proxy' };
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

  it('leaves the proxy that a client of Temporal uses, unless its address has a login [G19]', () => {
    const addresses = ['http://proxy:3128', 'http://login:password@proxy:3128'];
    expect(addresses.map((address) => isHarmless('grpc_proxy', address))).toEqual([true, false]);
  });

  it('leaves what PROVIDER_KEPT_VARIABLES names, also if a file of settings has it', () => {
    vi.stubEnv('HTTPS_PROXY', 'http://proxy:3128');
    vi.stubEnv('AWS_SESSION_TOKEN', 'canary-aws-token');
    expect(takeEnvironment()).toMatchObject({ HTTPS_PROXY: 'http://proxy:3128' });
    expect(process.env.HTTPS_PROXY).toBeUndefined();
    setVariable('PROVIDER_KEPT_VARIABLES', 'HTTPS_PROXY');
    expect(takeEnvironment()).toMatchObject({ HTTPS_PROXY: 'http://proxy:3128' });
    expect(process.env.HTTPS_PROXY).toBe('http://proxy:3128');
    expect(process.env.AWS_SESSION_TOKEN).toBeUndefined();
    delete process.env.PROVIDER_KEPT_VARIABLES;
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

describe('hardenProcess', () => {
  const READ_BY_CLIENTS = {
    OPENAI_A_SETTING_OF_NEXT_YEAR: 'canary',
    AZURE_OPENAI_AD_TOKEN: 'canary',
    ANTHROPIC_VERTEX_PROJECT_ID: 'canary',
    CLAUDE_CODE_OAUTH_TOKEN: 'canary',
    GEMINI_CLI_IDE_SERVER_PORT: 'canary',
    GOOGLE_APPLICATION_CREDENTIALS: '/run/secrets/canary.json',
    GCLOUD_PROJECT: 'canary',
    AWS_BEARER_TOKEN_BEDROCK: 'canary',
    AI_GATEWAY_API_KEY: 'canary',
    MISTRAL_CUSTOM_HEADERS: 'x-team: canary',
    PINECONE_ADDITIONAL_HEADERS: '{"x-team":"canary"}',
    ALL_PROXY: 'socks5://canary:1080',
    no_proxy: 'canary.example',
  };
  const OTHERS = {
    PROVIDER_TASK_QUEUE: 'agents',
    ENCRYPTION_KEY: 'of the setup',
    TEMPORAL_API_KEY: 'of the setup',
    TEMPORAL_GRPC_META_AUTHORIZATION: 'of the setup',
    AWS_REGION: 'eu-north-1',
    STRIPE_API_KEY: 'of the platform',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=trace',
    LANGSMITH_TRACING: 'true',
    MY_GATEWAY_URL: 'https://gateway.example',
    MYOPENAI: 'a word of its own',
    grpc_proxy: 'http://proxy:3128',
  };
  const plant = () => {
    for (const [name, value] of Object.entries({ ...READ_BY_CLIENTS, ...OTHERS })) vi.stubEnv(name, value);
  };

  it('removes what clients of services read by themselves, and nothing else, and returns the names [G17]', () => {
    plant();
    const names = Object.keys(READ_BY_CLIENTS);
    expect(hardenProcess()).toEqual(expect.arrayContaining(names));
    expect(names.filter((name) => name in process.env)).toEqual([]);
    expect(process.env).toMatchObject(OTHERS);
    expect(hardenProcess(), 'as before').toEqual(expect.arrayContaining(names));
    expect(JSON.stringify(hardenProcess())).not.toContain('canary');
  });

  it("leaves them to connect, whose fallback serves the platform's key where it is allowed", () => {
    plant();
    hardenProcess();
    expect(readConfig({}, ({ env }) => env)).toMatchObject(READ_BY_CLIENTS);
  });

  it.each<[string, Parameters<typeof hardenProcess>[0], string]>([
    ['its option', { keptVariables: ['OPENAI_*', 'ALL_PROXY'] }, ''],
    ['its setting', {}, 'OPENAI_*, ALL_PROXY'],
  ])('leaves what %s names', (_, options, setting) => {
    plant();
    vi.stubEnv('PROVIDER_KEPT_VARIABLES', setting);
    const kept = ['OPENAI_A_SETTING_OF_NEXT_YEAR', 'ALL_PROXY'];
    const names = hardenProcess(options);
    expect(names.filter((name) => kept.includes(name))).toEqual([]);
    const left = Object.keys(READ_BY_CLIENTS).filter((name) => name in process.env);
    expect(left.sort()).toEqual(kept.sort());
  });

  it('leaves all of them for *', () => {
    plant();
    expect(hardenProcess({ keptVariables: ['*'] })).toEqual([]);
    expect(process.env).toMatchObject({ ...READ_BY_CLIENTS, ...OTHERS });
  });

  it.each(['OPENAI_API_KEY=canary', 'A B', '*_KEY', 'A;B'])(
    'refuses %j as a list of names, without repeating it',
    (list) => {
      vi.stubEnv('PROVIDER_KEPT_VARIABLES', list);
      expect(() => hardenProcess()).toThrow(
        /^PROVIDER_KEPT_VARIABLES must be names of variables, with commas, such as HTTPS_PROXY,GOOGLE_\*$/,
      );
    },
  );
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
