/** TLS to a real Postgres that takes nothing else, with a certificate of a private authority. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { listenForChanges } from '../../src/store/change-listener.js';
import { connectionOptions } from '../../src/store/connection-options.js';
import { createLogin } from '../../src/store/logins.js';
import { migrate } from '../../src/store/migrate.js';
import { openDatabase } from '../../src/store/pool.js';
import { preflight } from '../../src/store/preflight.js';
import { withSession } from '../support/database.js';
import { startTlsPostgres } from '../support/tls-postgres.js';
import { useStage } from '../support/use-stage.js';

const postgres = useStage(startTlsPostgres);

const ENCRYPTED = { name: 'is_encrypted', text: 'select ssl from pg_stat_ssl where pid = pg_backend_pid()' };

async function isEncrypted(databaseUrl: string): Promise<unknown> {
  const database = openDatabase({ databaseUrl }, 'provider_resolver');
  try {
    return await database.query(ENCRYPTED, []);
  } finally {
    await database.close();
  }
}

const verified = () => ({ sslmode: 'verify-full', sslrootcert: postgres.files.authority });

describe('a Postgres with a private authority', () => {
  it('is reached with verify-full and its certificate, from migration to notification', async () => {
    const warned = vi.spyOn(process, 'emitWarning');
    const adminUrl = postgres.with(verified());
    expect(await isEncrypted(adminUrl)).toEqual([{ ssl: true }]);
    expect((await migrate(adminUrl)).length).toBeGreaterThan(0);
    const login = await createLogin(adminUrl, 'provider_resolver');
    const database = openDatabase({ databaseUrl: login }, 'provider_resolver');
    onTestFinished(() => database.close());
    await preflight(database, 'provider_resolver');
    const notified = vi.fn();
    const listener = listenForChanges(login, notified);
    onTestFinished(() => listener.close());
    await vi.waitFor(() => expect(notified).toHaveBeenCalledTimes(1), { timeout: 5_000 });
    await withSession(adminUrl, (session) => session.query('notify provider_changes'));
    await vi.waitFor(() => expect(notified).toHaveBeenCalledTimes(2), { timeout: 5_000 });
    expect(warned).not.toHaveBeenCalled();
  });

  it.each(['require', 'verify-ca', 'no-verify'])('is reached with sslmode=%s', async (sslmode) => {
    expect(await isEncrypted(postgres.with({ ...verified(), sslmode }))).toEqual([{ ssl: true }]);
  });

  it('is reached by another name only if the name is not checked', async () => {
    const byAddress = (sslmode: string) => postgres.with({ ...verified(), sslmode }).replace('localhost', '127.0.0.1');
    for (const sslmode of ['require', 'verify-full']) {
      await expect(isEncrypted(byAddress(sslmode))).rejects.toMatchObject({ facts: expect.anything() });
    }
    expect(await isEncrypted(byAddress('verify-ca'))).toEqual([{ ssl: true }]);
  });

  it.each(['require', 'verify-ca', 'verify-full'])(
    'is not trusted with sslmode=%s and the certificate of another authority',
    async (sslmode) => {
      const url = postgres.with({ sslmode, sslrootcert: postgres.files.stranger });
      await expect(isEncrypted(url)).rejects.toMatchObject({ name: 'ProviderError' });
    },
  );

  it('is not trusted without its certificate', async () => {
    await expect(isEncrypted(postgres.with({ sslmode: 'require' }))).rejects.toMatchObject({ name: 'ProviderError' });
  });

  it('refuses a connection without TLS', async () => {
    for (const url of [postgres.url, postgres.with({ sslmode: 'disable' })]) {
      await expect(isEncrypted(url)).rejects.toMatchObject({ name: 'ProviderError' });
    }
  });

  it('gets the certificate of the client if it wants one', async () => {
    const { clientCertificate: sslcert, clientKey: sslkey } = postgres.files;
    const to = { database: 'certified' };
    expect(await isEncrypted(postgres.with({ ...verified(), sslcert, sslkey }, to))).toEqual([{ ssl: true }]);
    await expect(isEncrypted(postgres.with(verified(), to))).rejects.toMatchObject({ name: 'ProviderError' });
  });
});

it('the file of the authority is read when the connection is made, not later', () => {
  expect(connectionOptions(postgres.with(verified())).ssl).toMatchObject({
    ca: expect.stringContaining('BEGIN CERTIFICATE'),
  });
});
