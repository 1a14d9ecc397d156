import { describe, expect, it } from 'vitest';
import { loginUrl, nameOfLogin } from '../../../src/cli/setup/login-urls.js';

const urlOf = (adminUrl: string, loginPrefix?: string) => loginUrl({ adminUrl, loginPrefix }, 'worker', 'secret');

describe('the URL of a new login', () => {
  it.each([
    ['postgres://admin:pw@db:5432/app', 'postgres://app_worker:secret@db:5432/app'],
    ['postgres://admin:pw@db/app?sslmode=verify-full', 'postgres://app_worker:secret@db/app?sslmode=verify-full'],
    ['postgres://admin@db/my%20app', 'postgres://my%20app_worker:secret@db/my%20app'],
    ['postgres://admin:pw@db', 'postgres://admin_worker:secret@db'],
    ["postgres://admin:pw@db/it's", 'postgres://it%27s_worker:secret@db/it%27s'],
  ])('of the administrator %s is that URL with the name of the database and the new password', (adminUrl, url) => {
    expect(urlOf(adminUrl)).toBe(url);
  });

  it('has the project of Supabase’s pooler after the name, which is not part of the login', () => {
    const url = urlOf('postgres://postgres.abcdef:pw@aws-0-eu.pooler.supabase.com:5432/postgres');
    expect(new URL(url).username).toBe('postgres_worker.abcdef');
    expect(nameOfLogin(url)).toBe('postgres_worker');
    expect(nameOfLogin('postgres://a.b@db/app')).toBe('a.b');
  });

  it('has another beginning if one is given, and is refused if Postgres would cut its name', () => {
    expect(urlOf('postgres://admin@db/app', 'staging')).toContain('//staging_worker:');
    expect(() => urlOf('postgres://admin@db/app', 'é'.repeat(30))).toThrow('longer than 63 bytes');
  });
});
