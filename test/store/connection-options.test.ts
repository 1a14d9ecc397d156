import { describe, expect, it } from 'vitest';
import { connectionOptions } from '../../src/store/connection-options.js';

const URL_BASE = 'postgres://worker:canary-password@db.example.com/app';

describe('the TLS parameters of a database URL', () => {
  it.each([
    ['', undefined],
    ['?application_name=x', undefined],
    ['?sslmode=disable', false],
    ['?sslmode=require', { rejectUnauthorized: true }],
    ['?sslmode=verify-full', { rejectUnauthorized: true }],
    ['?sslmode=verify-full&sslrootcert=system', { rejectUnauthorized: true }],
    ['?sslrootcert=system', { rejectUnauthorized: true }],
    ['?sslmode=no-verify', { rejectUnauthorized: false }],
  ])('%s', (parameters, ssl) => {
    const options = connectionOptions(`${URL_BASE}${parameters}`);
    expect(options.ssl).toEqual(ssl);
    expect(options.connectionString).not.toMatch(/ssl/);
  });

  it('leave the other parts of the URL as they are', () => {
    const url = 'postgres://w%40rker:p%2Fss%25@db.example.com:6543/my%20app?options=-c%20x%3D1&sslmode=require';
    const left = new URL(connectionOptions(url).connectionString ?? '');
    expect(left).toMatchObject({ username: 'w%40rker', password: 'p%2Fss%25', port: '6543', pathname: '/my%20app' });
    expect([...left.searchParams]).toEqual([['options', '-c x=1']]);
  });

  it.each([
    ['?sslmode=prefer', /sslmode in the database URL must be one of/],
    ['?sslmode=allow', /sslmode in the database URL must be one of/],
    ['?sslmode=Require', /sslmode in the database URL must be one of/],
    ['?sslmode=', /sslmode in the database URL must be one of/],
    ['?sslmode=verify-ca', /verify-ca in the database URL needs sslrootcert/],
    ['?sslmode=verify-ca&sslrootcert=system', /verify-ca in the database URL needs sslrootcert/],
    ['?sslrootcert=/no/such/file', /the file that sslrootcert names .* cannot be read/],
    ['?sslmode=require&sslcert=/no/such/file', /the file that sslcert names .* cannot be read/],
    ['?sslmode=require&sslkey=/', /the file that sslkey names .* cannot be read/],
  ])('are refused without the URL if they do not fit: %s', (parameters, message) => {
    const connect = () => connectionOptions(`${URL_BASE}${parameters}`);
    expect(connect).toThrowError(
      expect.objectContaining({ type: 'SetupInvalid', message: expect.stringMatching(message) }),
    );
    expect(connect).toThrowError(expect.objectContaining({ message: expect.not.stringMatching(/canary|no\/such/) }));
  });

  it('a file is not read if TLS is switched off', () => {
    expect(connectionOptions(`${URL_BASE}?sslmode=disable&sslrootcert=/no/such/file`).ssl).toBe(false);
  });
});
