/** Files that cannot be used: of secrets, keys, certificates and settings. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, test } from 'vitest';
import { CANARY, checkWrong, SETTINGS, type Wrong } from './door.js';

const folder = mkdtempSync(join(tmpdir(), 'workspace-providers-door-'));
afterAll(() => rm(folder, { recursive: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

const LIST = ['list', 'ws_acme'];
const WORKER = ['worker'];
const SCHEDULES = ['schedules', 'list'];
const GRANT_KEYS_RULE = 'it must be a JSON document, an https: address, or the path of a file';
type Row = readonly [what: string, wrong: Wrong];

const missing = join(folder, 'missing');

const FILES: readonly Row[] = [
  [
    'a file of a secret that does not exist',
    {
      run: LIST,
      env: { ENCRYPTION_KEY: '', ENCRYPTION_KEY_FILE: missing },
      exits: 2,
      says: ['ENCRYPTION_KEY_FILE names a file that does not exist'],
    },
  ],
  [
    'a folder in the place of the file of a secret',
    {
      run: LIST,
      env: { ENCRYPTION_KEY: '', ENCRYPTION_KEY_FILE: folder },
      exits: 2,
      says: ['ENCRYPTION_KEY_FILE names a file that is a folder'],
    },
  ],
  [
    'the secret in the place of the path of its file',
    {
      run: LIST,
      env: { ENCRYPTION_KEY: '', ENCRYPTION_KEY_FILE: SETTINGS.ENCRYPTION_KEY },
      exits: 2,
      says: ['ENCRYPTION_KEY_FILE names a file that does not exist'],
    },
  ],
  [
    'an empty file of a secret',
    {
      run: LIST,
      env: { ENCRYPTION_KEY: '', ENCRYPTION_KEY_FILE: file('empty', '\n') },
      exits: 2,
      says: ['ENCRYPTION_KEY_FILE names an empty file'],
    },
  ],
  [
    'a secret and its file',
    {
      run: LIST,
      env: { ENCRYPTION_KEY_FILE: file('key', SETTINGS.ENCRYPTION_KEY) },
      exits: 2,
      says: ['ENCRYPTION_KEY_FILE is set, and so is ENCRYPTION_KEY: remove one of them'],
    },
  ],
  [
    'a file of public keys that does not exist',
    {
      run: WORKER,
      env: { PROVIDER_GRANTS: '', PROVIDER_GRANT_KEYS: missing },
      exits: 2,
      says: `PROVIDER_GRANT_KEYS names a file that does not exist; ${GRANT_KEYS_RULE}`,
    },
  ],
  [
    'a file of public keys that is not JSON',
    {
      run: WORKER,
      env: { PROVIDER_GRANTS: '', PROVIDER_GRANT_KEYS: file('jwks', `not json ${CANARY}`) },
      exits: 2,
      says: ['PROVIDER_GRANT_KEYS is not a JSON Web Key Set of public Ed25519 keys: check the document'],
    },
  ],
  [
    'public keys by http',
    {
      run: WORKER,
      env: { PROVIDER_GRANTS: '', PROVIDER_GRANT_KEYS: 'http://keys.example/jwks' },
      exits: 2,
      says: `PROVIDER_GRANT_KEYS is an http: address, which anybody on the way may change; ${GRANT_KEYS_RULE}`,
    },
  ],
  [
    'a signing key that is no key',
    {
      run: SCHEDULES,
      env: { PROVIDER_GRANTS: '', PROVIDER_GRANT_SIGNING_KEY: `{"d":"${CANARY}"}` },
      exits: 2,
      says: ['PROVIDER_GRANT_SIGNING_KEY is not a private Ed25519 JSON Web Key: check kty, crv, x, kid'],
    },
  ],
  [
    'a line of an env file that is no setting',
    {
      run: ['--env-file', file('a.env', `A=1\n${CANARY}\n`), ...LIST],
      exits: 2,
      says: [/a\.env line 2 is not a setting: it must be NAME=value/],
    },
  ],
  [
    'a wrong setting in an env file',
    {
      run: ['--env-file', file('b.env', '# ours\nPROVIDER_CACHE_LEASE=soon\n'), ...WORKER],
      exits: 2,
      says: [/^PROVIDER_CACHE_LEASE \(.*b\.env line 2\) must be a duration/],
    },
  ],
  [
    'a certificate of Temporal that does not exist',
    {
      run: WORKER,
      env: { TEMPORAL_TLS_SERVER_CA_CERT_PATH: missing },
      exits: 2,
      says: 'TEMPORAL_TLS_SERVER_CA_CERT_PATH names a file that does not exist',
    },
  ],
  [
    'a signing key that would be written over',
    {
      run: ['grants', 'create-key', '--signing-key', file('taken', ''), '--key-set', join(folder, 'set.json')],
      exits: 2,
      says: 'the file for the signing key exists already, or cannot be written: choose another path',
    },
  ],
];

describe('a file:', () => {
  test.each(FILES)('%s', (_, wrong) => checkWrong(wrong));

  // Node 20 looks for this option among a program's own arguments too, and ends before the program begins.
  test.each([
    ['an env file that does not exist', missing, /names a file that does not exist/],
    ['a folder in the place of an env file', folder, /names a file that is a folder/],
  ])('%s', (_, path, says) => {
    return checkWrong({
      run: ['--env-file', path, ...LIST],
      exits: isOlderNode ? 9 : 2,
      says: [isOlderNode ? path : says],
    });
  });
});

const isOlderNode = process.version.startsWith('v20.');
