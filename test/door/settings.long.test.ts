/** Wrong arguments and settings, before any server is asked. */
import { describe, test } from 'vitest';
import { CANARY, checkWrong, ROOT_KEY, SETTINGS, type Wrong } from './door.js';

const LIST = ['list', 'ws_acme'];
const WORKER = ['worker'];
const CONFIGURE = ['configure', 'ws_acme', 'llm', 'mine'];
const SCHEDULES = ['schedules', 'list'];
type Row = readonly [what: string, wrong: Wrong];

const ARGUMENTS: readonly Row[] = [
  ['an unknown command', { run: ['lst'], exits: 2, says: "unknown command 'lst'; see workspace-providers --help" }],
  [
    'an unknown option',
    { run: [...LIST, '--all'], exits: 2, says: "unknown option '--all'; see workspace-providers list --help" },
  ],
  [
    'a missing argument',
    { run: ['list'], exits: 2, says: "missing required argument 'workspace'; see workspace-providers list --help" },
  ],
  [
    'an unknown command of a command',
    { run: ['grants', 'crate'], exits: 2, says: "unknown command 'crate'; see workspace-providers grants --help" },
  ],
  [
    'a missing option of a command of a command',
    {
      run: ['grants', 'revoke'],
      exits: 2,
      says: "required option '--key-set <file>' not specified; see workspace-providers grants revoke --help",
    },
  ],
  [
    'an unknown field',
    {
      run: [...CONFIGURE, '--set', 'region=eu'],
      exits: 2,
      says: ['--set: llm has no field region: it takes ', 'baseURL', 'model'],
    },
  ],
  [
    'a misspelt field',
    {
      run: [...CONFIGURE, '--set', 'base_url=https://x/'],
      exits: 2,
      says: '--set: llm has no field: did you mean baseURL?',
    },
  ],
  [
    'a key in the place of a field',
    { run: [...CONFIGURE, '--set', `${CANARY}=1`], exits: 2, says: ['--set: llm has no field: it takes '] },
  ],
  [
    'a secret as an argument',
    {
      run: [...CONFIGURE, '--set', `apiKey=${CANARY}`],
      exits: 2,
      says: ['apiKey is a secret', 'pipe the new one to stdin'],
    },
  ],
  [
    'a number of events that is none',
    { run: ['audit', 'ws_acme', '--limit', 'many'], exits: 2, says: ['--limit must be a whole number, at most '] },
  ],
  [
    'an interval that is no duration',
    { run: ['rotate-every', 'ws_acme', 'llm', 'mine', 'quarterly'], exits: 2, says: [/a duration such as|must be/] },
  ],
];

const VALUES: readonly Row[] = [
  [
    'no database',
    {
      run: LIST,
      env: { PROVIDER_MANAGER_DATABASE_URL: '' },
      exits: 2,
      says: ['DATABASE_URL (or PROVIDER_MANAGER_DATABASE_URL) is not set: set it to postgres://', 'provider_manager'],
    },
  ],
  [
    'no database for an administrator',
    {
      run: ['migrate'],
      env: { PROVIDER_ADMIN_DATABASE_URL: '' },
      exits: 2,
      says: ['DATABASE_URL (or PROVIDER_ADMIN_DATABASE_URL) is not set', 'owns it and may create roles'],
    },
  ],
  [
    'a database URL of another kind',
    {
      run: LIST,
      env: { PROVIDER_MANAGER_DATABASE_URL: `mysql://me:${CANARY}@host/db` },
      exits: 2,
      says: 'PROVIDER_MANAGER_DATABASE_URL must be postgres://login:password@host/database',
    },
  ],
  [
    'a database URL that cannot be parsed',
    {
      run: WORKER,
      env: { PROVIDER_DATABASE_URL: `postgres://me:${CANARY}@ho st/db` },
      exits: 2,
      says: ['PROVIDER_DATABASE_URL must be postgres://login:password@host/database'],
    },
  ],
  ['no root key', { run: LIST, env: { ENCRYPTION_KEY: '' }, exits: 2, says: ['ENCRYPTION_KEY is not set'] }],
  [
    'a root key without an id',
    { run: LIST, env: { ENCRYPTION_KEY: ROOT_KEY }, exits: 2, says: ['ENCRYPTION_KEY entry 1 has no id. Set it to '] },
  ],
  [
    'a root key that is too short',
    {
      run: LIST,
      env: { ENCRYPTION_KEY: `key-1:${Buffer.from(CANARY).toString('base64')}` },
      exits: 2,
      says: ['ENCRYPTION_KEY entry 1 has a key of 216 bits, not 256. Set it to '],
    },
  ],
  [
    'a root key twice',
    {
      run: LIST,
      env: { ENCRYPTION_KEY: `${SETTINGS.ENCRYPTION_KEY},${SETTINGS.ENCRYPTION_KEY}` },
      exits: 2,
      says: ['ENCRYPTION_KEY entry 2 has the same id as an earlier entry. Set it to '],
    },
  ],
  [
    'a near-miss of a setting',
    {
      run: WORKER,
      env: { PROVIDER_CACHE_LEESE: '30s' },
      exits: 2,
      says: 'PROVIDER_CACHE_LEESE is not a setting: did you mean PROVIDER_CACHE_LEASE?',
    },
  ],
  [
    'a duration without a unit',
    {
      run: WORKER,
      env: { PROVIDER_CACHE_LEASE: '30' },
      exits: 2,
      says: 'PROVIDER_CACHE_LEASE must be a duration such as 500ms, 30s, 15m, 24h or 7d, from 100ms to 1h',
    },
  ],
  [
    'a duration out of bounds',
    { run: WORKER, env: { PROVIDER_LONGEST_STEP: '7d' }, exits: 2, says: ['PROVIDER_LONGEST_STEP must be', 'to 24h'] },
  ],
  [
    'a number that is none',
    {
      run: WORKER,
      env: { PROVIDER_DATABASE_CONNECTIONS: 'ten' },
      exits: 2,
      says: 'PROVIDER_DATABASE_CONNECTIONS must be a whole number from 1 to 1000',
    },
  ],
  [
    'a flag that is neither true nor false',
    {
      run: LIST,
      env: { PROVIDER_PREPARED_STATEMENTS: 'off' },
      exits: 2,
      says: 'PROVIDER_PREPARED_STATEMENTS must be true or false',
    },
  ],
  [
    'a network that is none',
    { run: LIST, env: { PROVIDER_EGRESS_NETWORKS: '10.1/16' }, exits: 2, says: ['PROVIDER_EGRESS_NETWORKS'] },
  ],
  [
    'a variable to keep with its value',
    {
      run: LIST,
      env: { PROVIDER_KEPT_VARIABLES: `HTTPS_PROXY=${CANARY}` },
      exits: 2,
      says: ['PROVIDER_KEPT_VARIABLES must be names of variables'],
    },
  ],
  [
    'two wrong settings, in one message',
    {
      run: WORKER,
      env: { PROVIDER_CACHE_MAX: '0', PROVIDER_SHUTDOWN_GRACE: 'soon' },
      exits: 2,
      says: [/PROVIDER_CACHE_MAX must be/, /PROVIDER_SHUTDOWN_GRACE must be/],
    },
  ],
  [
    'a policy for grants that is none',
    { run: WORKER, env: { PROVIDER_GRANTS: 'none' }, exits: 2, says: ['PROVIDER_GRANTS must be required, or every-'] },
  ],
  [
    'no keys of grants',
    {
      run: WORKER,
      env: { PROVIDER_GRANTS: '' },
      exits: 2,
      says: ['PROVIDER_GRANT_KEYS is not set: ', 'workspace-providers grants create-key'],
    },
  ],
  [
    'no signing key',
    {
      run: SCHEDULES,
      env: { PROVIDER_GRANTS: '' },
      exits: 2,
      says: ['PROVIDER_GRANT_SIGNING_KEY is not set: ', 'workspace-providers grants create-key'],
    },
  ],
  [
    'a private key in the set of public keys',
    {
      run: WORKER,
      env: {
        PROVIDER_GRANTS: '',
        PROVIDER_GRANT_KEYS: `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"${'a'.repeat(43)}","d":"${CANARY}"}]}`,
      },
      exits: 2,
      says: ['PROVIDER_GRANT_KEYS must have only public keys: keys.0 is a private key, which workers must not have'],
    },
  ],
  [
    'a fallback without its key',
    {
      run: WORKER,
      env: { PROVIDER_PLATFORM_FALLBACK: 'llm/anthropic' },
      exits: 2,
      says: ['PROVIDER_PLATFORM_FALLBACK allows llm/anthropic, ', 'set its variables'],
    },
  ],
];

describe('an argument:', () => {
  test.each(ARGUMENTS)('%s', (_, wrong) => checkWrong(wrong));
});

describe('a setting:', () => {
  test.each(VALUES)('%s', (_, wrong) => checkWrong(wrong));
});
