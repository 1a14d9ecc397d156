/** Servers that cannot be used: a standby, a wrong address or certificate, and stand-ins for rarer faults. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, test } from 'vitest';
import { freePort } from '../../src/dev/ports.js';
import { type RefusingPostgresOptions, startRefusingPostgres } from '../../testbed/refusing-postgres.js';
import { Teardown } from '../../testbed/teardown.js';
import { startOwnPostgres, withSession, withUrl } from '../support/database.js';
import { CANARY, checkWrong, type Wrong } from './door.js';

const MANAGER = 'PROVIDER_MANAGER_DATABASE_URL, or in DATABASE_URL if that is not set';
const ADMIN = 'PROVIDER_ADMIN_DATABASE_URL, or in DATABASE_URL if that is not set';

/** A command of a manager with this URL. */
const list = (url: string) => ({ run: ['list', 'ws_acme'], env: { PROVIDER_MANAGER_DATABASE_URL: url } });
const migrate = (url: string) => ({ run: ['migrate'], env: { PROVIDER_ADMIN_DATABASE_URL: url } });
const at = (place: string, parameters = '') => `postgres://manager:${CANARY}@${place}/agents${parameters}`;

type Row = readonly [what: string, wrong: () => Wrong | Promise<Wrong>];

/** With a stand-in that answers a login or a statement like this. */
const STAND_INS: readonly (readonly [
  what: string,
  options: RefusingPostgresOptions,
  exits: number,
  says: Wrong['says'],
])[] = [
  [
    'a server that is starting',
    { atLogin: ['57P03'] },
    5,
    'Postgres does not answer: it is starting, stopping or recovering (SQLSTATE 57P03)',
  ],
  ['a server that is full', { atLogin: ['53300'] }, 5, ['Postgres has no free connection', 'max_connections']],
  [
    'a server that requires TLS',
    { atLogin: ['28000', `no pg_hba.conf entry for host "10.0.0.1", user "${CANARY}", no encryption`] },
    2,
    `Postgres requires TLS: add sslmode=verify-full to the URL in ${MANAGER}`,
  ],
  ['a login that pg_hba.conf does not admit', { atLogin: ['28000'] }, 2, ['pg_hba.conf', MANAGER]],
  [
    'a pooler that does not know the login',
    { atLogin: ['08P01'] },
    5,
    ['if a pooler is in between, check that it knows the login', MANAGER],
  ],
  [
    'an old server',
    { row: { finding: 'too_old', name: '13.23' } },
    2,
    'Postgres 13.23 is too old: use Postgres 14 or later, and set PROVIDER_MANAGER_DATABASE_URL to it',
  ],
  ['a full disk', { atStatement: '53100' }, 5, 'the disk of Postgres is full: free some space on it (SQLSTATE 53100)'],
  [
    'a damaged disk',
    { atStatement: '58030' },
    5,
    'Postgres has an error of its files or its disk: see its log (SQLSTATE 58030)',
  ],
  [
    'an administrator who ends the connection',
    { atStatement: '57P01' },
    5,
    ['an administrator ended the connection', '57P01'],
  ],
  ['a pooler in transaction mode', { atStatement: '26000' }, 2, ['set PROVIDER_PREPARED_STATEMENTS=false']],
  ['an unknown error', { atStatement: 'XX000' }, 5, ['internal error: see its log', 'SQLSTATE XX000']],
];

const ADDRESSES: readonly Row[] = [
  [
    'a port at which nothing listens',
    async () => ({
      ...list(at(`127.0.0.1:${await freePort()}`)),
      exits: 5,
      says: `Postgres does not answer: nothing listens at its address; check that it runs, and host and port in ${MANAGER}`,
    }),
  ],
  [
    'a host name that does not resolve',
    () => ({
      ...list(at('postgres.invalid')),
      exits: 5,
      says: [/host name (does not resolve|)|name server does not resolve/, MANAGER],
    }),
  ],
  [
    'a socket that does not exist',
    () => ({
      ...migrate(at('localhost', '?host=/nowhere')),
      exits: 5,
      says: `Postgres does not answer: its socket cannot be opened; check the host in ${ADMIN}`,
    }),
  ],
];

describe('a stand-in shows', () => {
  test.each(STAND_INS)('%s', async (_, options, exits, says) => {
    const teardown = new Teardown();
    const { port } = await teardown.use(startRefusingPostgres(options));
    await checkWrong({ ...list(at(`127.0.0.1:${port}`)), exits, says }).finally(() => teardown.run());
  });

  test('an old server to an administrator', async () => {
    const teardown = new Teardown();
    const { port } = await teardown.use(startRefusingPostgres({ row: { version: '130023' } }));
    const says = 'Postgres 13 is too old: use Postgres 14 or later, and set PROVIDER_ADMIN_DATABASE_URL to it';
    await checkWrong({ ...migrate(at(`127.0.0.1:${port}`)), exits: 2, says }).finally(() => teardown.run());
  });

  test('a web server in the place of Postgres', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const port = (server.address() as { port: number }).port;
    const says = [/Postgres does not answer: it ended the connection; check that .* is the address of a Postgres/];
    await checkWrong({ ...list(at(`127.0.0.1:${port}`)), exits: 5, says }).finally(() => server.close());
  });
});

describe('an address:', () => {
  test.each(ADDRESSES)('%s', async (_, wrong) => checkWrong(await wrong()));
});

describe('the certificate of a server', () => {
  const teardown = new Teardown();

  test('is of an authority that the machine does not know, is of another name, or its file is missing', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'workspace-providers-door-'));
    teardown.defer(() => rm(folder, { recursive: true }));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const names = ['-subj', '/CN=db.example', '-addext', 'subjectAltName=DNS:db.example'];
    const files = ['-keyout', key, '-out', cert, '-days', '2'];
    await promisify(execFile)('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...files, ...names]);
    const tls = { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') };
    const { port } = await teardown.use(startRefusingPostgres({ tls, atLogin: ['28P01'] }));
    const place = `127.0.0.1:${port}`;
    try {
      await checkWrong({
        ...list(at(place, '?sslmode=verify-full')),
        exits: 2,
        says: ['signed by an authority that this machine does not trust', 'add sslrootcert=<file', MANAGER],
      });
      await checkWrong({
        ...list(at(place, `?sslmode=verify-full&sslrootcert=${cert}`)),
        exits: 2,
        says: [
          `the certificate of Postgres is for another host name: use the name that is in the certificate as the host in ${MANAGER}`,
        ],
      });
      await checkWrong({
        ...list(at(place, `?sslmode=verify-full&sslrootcert=${folder}/missing.pem`)),
        exits: 2,
        says: [/sslrootcert/, /cannot be read/],
      });
    } finally {
      await teardown.run();
    }
  });
});

describe('a standby', () => {
  test('is refused, because it takes no changes', async () => {
    const teardown = new Teardown();
    try {
      const folder = await mkdtemp(join(tmpdir(), 'workspace-providers-standby-'));
      teardown.defer(() => rm(folder, { recursive: true, force: true }));
      const server = await startOwnPostgres(teardown);
      const login = await withSession(server.url, async (session) => {
        const { rows } = await session.query<{ folder: string }>("select current_setting('data_directory') as folder");
        await session.query(`create role reader login password '${CANARY}'`);
        return rows[0]?.folder ?? '';
      });
      await server.stop();
      await writeFile(join(login, 'standby.signal'), '');
      await server.restart();
      await checkWrong({
        ...list(withUrl(server.url, { login: 'reader', password: CANARY })),
        exits: 2,
        says: [
          'the server is a standby, which takes no changes: set PROVIDER_MANAGER_DATABASE_URL to the primary server',
        ],
      });
      await checkWrong({
        ...migrate(server.url),
        exits: 2,
        says: 'the server is read-only, as a standby is: set PROVIDER_ADMIN_DATABASE_URL to the primary server',
      });
    } finally {
      await teardown.run();
    }
  });
});
