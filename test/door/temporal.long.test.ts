/** A Temporal that cannot be used, for commands and for a worker. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createSecureServer, createServer, type Http2Server } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, test } from 'vitest';
import { freePort } from '../../src/dev/ports.js';
import type { Teardown } from '../../testbed/teardown.js';
import { temporalAddress } from '../support/parts.js';
import { useDatabase } from '../support/use-database.js';
import { useStage } from '../support/use-stage.js';
import { CANARY, checkWrong, type Wrong } from './door.js';

const database = useDatabase();

/** The stand-ins: a gRPC server that rejects every caller, and the same with TLS. */
const servers = useStage(async (teardown: Teardown) => {
  const folder = await mkdtemp(join(tmpdir(), 'workspace-providers-door-'));
  teardown.defer(() => rm(folder, { recursive: true }));
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const names = ['-subj', '/CN=temporal.example', '-addext', 'subjectAltName=DNS:temporal.example'];
  const files = ['-keyout', key, '-out', certificate, '-days', '2'];
  await promisify(execFile)('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...files, ...names]);
  const tls = { key: await readFile(key), cert: await readFile(certificate) };
  const plain = await addressOf(createServer(), teardown);
  const secure = await addressOf(createSecureServer(tls), teardown);
  return { plain, secure, certificate, missing: join(folder, 'missing.pem') };
});

async function addressOf(server: Http2Server, teardown: Teardown): Promise<string> {
  server.on('error', () => {});
  server.on('stream', (stream) => {
    stream.on('error', () => {});
    const refusal = { 'grpc-status': '16', 'grpc-message': `Request unauthorized ${CANARY}` };
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...refusal }, { endStream: true });
  });
  const sessions = new Set<{ destroy(): void }>();
  server.on('session', (session) => sessions.add(session));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  teardown.defer(async () => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  const address = server.address();
  return `127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
}

type Row = readonly [
  what: string,
  env: () => Record<string, string> | Promise<Record<string, string>>,
  exits: number,
  says: (address: string) => Wrong['says'],
];

const ROWS: readonly Row[] = [
  [
    'a port at which nothing listens',
    async () => ({ TEMPORAL_ADDRESS: `127.0.0.1:${await freePort()}` }),
    5,
    (address) => `Temporal does not answer at ${address}: nothing listens there; check TEMPORAL_ADDRESS`,
  ],
  [
    'a host name that does not resolve',
    () => ({ TEMPORAL_ADDRESS: 'temporal.invalid:7233' }),
    5,
    () => [/^Temporal does not answer at temporal\.invalid:7233: .*resolve.*check TEMPORAL_ADDRESS$/],
  ],
  [
    'a URL in the place of an address',
    () => ({ TEMPORAL_ADDRESS: 'http://127.0.0.1:1' }),
    2,
    (address) => `Temporal at ${address} has no valid address: check TEMPORAL_ADDRESS (host:port)`,
  ],
  [
    'a namespace that does not exist',
    () => ({ TEMPORAL_ADDRESS: temporalAddress(), TEMPORAL_NAMESPACE: 'no-such-namespace' }),
    2,
    (address) => `Temporal at ${address} does not have the configured namespace: check TEMPORAL_NAMESPACE`,
  ],
  [
    'a server that rejects the API key',
    () => ({ TEMPORAL_ADDRESS: servers.plain, TEMPORAL_API_KEY: CANARY, TEMPORAL_TLS: 'false' }),
    2,
    (address) => `Temporal at ${address} rejects the credential: check TEMPORAL_API_KEY, and TEMPORAL_NAMESPACE`,
  ],
  [
    'a server that requires TLS',
    () => ({ TEMPORAL_ADDRESS: servers.secure }),
    2,
    (address) => `Temporal at ${address} requires TLS: check TEMPORAL_TLS (true)`,
  ],
  [
    'a server without TLS',
    () => ({ TEMPORAL_ADDRESS: temporalAddress(), TEMPORAL_TLS: 'true' }),
    2,
    (address) => `Temporal at ${address} does not use TLS: check TEMPORAL_TLS (false for a server without TLS)`,
  ],
  [
    'a certificate of an authority that the machine does not know',
    () => ({ TEMPORAL_ADDRESS: servers.secure, TEMPORAL_TLS: 'true' }),
    2,
    () => ['signed by an authority that this machine does not trust', 'check TEMPORAL_TLS_SERVER_CA_CERT_PATH'],
  ],
  [
    'a certificate for another host name',
    () => ({ TEMPORAL_ADDRESS: servers.secure, TEMPORAL_TLS_SERVER_CA_CERT_PATH: servers.certificate }),
    2,
    () => ['has a certificate for another host name: check the host in TEMPORAL_ADDRESS, or TEMPORAL_TLS_SERVER_NAME'],
  ],
  [
    'the file of a certificate that does not exist',
    () => ({ TEMPORAL_ADDRESS: servers.secure, TEMPORAL_TLS_SERVER_CA_CERT_PATH: servers.missing }),
    2,
    () => 'TEMPORAL_TLS_SERVER_CA_CERT_PATH names a file that does not exist',
  ],
];

describe.each([['schedules', 'list'], ['worker']])('%s reports', (...run) => {
  test.each(ROWS)('%s', async (_, settings, exits, says) => {
    const logins = { PROVIDER_DATABASE_URL: database.resolverUrl, PROVIDER_MANAGER_DATABASE_URL: '' };
    const env: Record<string, string> = { ...logins, ...(await settings()) };
    await checkWrong({ run, env, exits, says: says(env.TEMPORAL_ADDRESS ?? '') });
  });
});
