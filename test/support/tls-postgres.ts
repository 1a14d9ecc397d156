/**
 * A Postgres that takes only TLS, with a certificate for `localhost` of a private authority, as managed ones have. Its
 * database `certified` also wants a certificate of the client.
 */

import { execFile } from 'node:child_process';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startPostgres } from '../../src/dev/postgres.js';
import { postgresUser } from '../../src/dev/postgres-binaries.js';
import type { Teardown } from '../../testbed/teardown.js';
import { withSession, withUrl } from './database.js';

export interface TlsPostgres {
  /** The superuser's URL, with the host `localhost` and without TLS parameters. */
  readonly url: string;
  readonly logFile: string;
  /** Files of the authority that signed the server's certificate, of another one, and of a client. */
  readonly files: Readonly<Record<'authority' | 'stranger' | 'clientCertificate' | 'clientKey', string>>;
  /** The same URL with these parameters. */
  with(parameters: Readonly<Record<string, string>>, to?: Parameters<typeof withUrl>[1]): string;
}

const HBA = `
hostssl certified all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca
hostssl all all 127.0.0.1/32 scram-sha-256
`;

export async function startTlsPostgres(teardown: Teardown): Promise<TlsPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'workspace-providers-tls-'));
  teardown.defer(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o755);
  const path = (name: string) => join(folder, name);
  await makeAuthority(path, 'authority');
  await makeAuthority(path, 'stranger');
  await makeCertificate(path, 'server', 'DNS:localhost');
  await makeCertificate(path, 'client', 'DNS:client');
  await writeFile(path('hba'), HBA);
  const user = await postgresUser();
  if (user) await chown(path('server.key'), user.uid, user.gid);
  const server = await startPostgres({
    settings: {
      ...{ ssl: 'on', ssl_cert_file: path('server.pem'), ssl_key_file: path('server.key') },
      ...{ ssl_ca_file: path('authority.pem'), hba_file: path('hba') },
    },
  });
  teardown.defer(() => server.stop());
  const url = server.url.replace('127.0.0.1', 'localhost');
  const tls: TlsPostgres = {
    ...{ url, logFile: server.logFile },
    files: {
      ...{ authority: path('authority.pem'), stranger: path('stranger.pem') },
      ...{ clientCertificate: path('client.pem'), clientKey: path('client.key') },
    },
    with(parameters, to = {}) {
      const changed = new URL(withUrl(url, to));
      for (const [name, value] of Object.entries(parameters)) changed.searchParams.set(name, value);
      return changed.href;
    },
  };
  const admin = tls.with({ sslmode: 'verify-full', sslrootcert: tls.files.authority });
  await withSession(admin, (session) => session.query('create database certified'));
  return tls;
}

type PathOf = (name: string) => string;

const openssl = (args: readonly string[]) => promisify(execFile)('openssl', args);
const newKey = (file: string) => [
  '-newkey',
  'ec',
  '-pkeyopt',
  'ec_paramgen_curve:prime256v1',
  '-nodes',
  '-keyout',
  file,
];

async function makeAuthority(path: PathOf, name: string): Promise<void> {
  const out = ['-out', path(`${name}.pem`), '-days', '2', '-subj', `/CN=${name}`];
  await openssl(['req', '-x509', ...newKey(path(`${name}.key`)), ...out]);
}

async function makeCertificate(path: PathOf, name: string, altName: string): Promise<void> {
  const request = path(`${name}.csr`);
  const extensions = path(`${name}.ext`);
  await writeFile(extensions, `subjectAltName=${altName}\n`);
  await openssl(['req', ...newKey(path(`${name}.key`)), '-subj', `/CN=${name}`, '-out', request]);
  const authority = ['-CA', path('authority.pem'), '-CAkey', path('authority.key'), '-CAcreateserial'];
  const out = ['-extfile', extensions, '-days', '2', '-out', path(`${name}.pem`)];
  await openssl(['x509', '-req', '-in', request, ...authority, ...out]);
  await chmod(path(`${name}.key`), 0o600);
}
