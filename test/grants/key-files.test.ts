/** The written key set keeps the mode and the owner of the file that it replaces, because workers must be able to read it. */
import {
  chmodSync,
  chownSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { revisionOfFile, revokeGrants, writeGrantKey } from '../../src/grants/key-files.js';
import { permissionProblem } from '../../src/grants/key-set-permissions.js';
import { useGrantKeys } from './signed-grants.js';

const keys = useGrantKeys();
const REVOCATION = { grantId: 'a' };
const isRoot = process.getuid?.() === 0;
const [USER, GROUP] = [54_321, 54_322];

let folder: string;
const file = () => join(folder, 'keys.json');
const modeOf = (path: string) => statSync(path).mode & 0o777;
const revoke = () => revokeGrants(file(), REVOCATION);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'key-files-'));
  writeFileSync(file(), JSON.stringify({ keys: [keys.pair.publicKey] }));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe.each([0o000, 0o002, 0o022, 0o077])('under the umask %o,', (umask) => {
  let before: number;
  beforeEach(() => {
    before = process.umask(umask);
  });
  afterEach(() => void process.umask(before));

  test.each([0o644, 0o640, 0o600, 0o444])('the mode %o is kept by a revocation and by a new key', async (mode) => {
    chmodSync(file(), mode);
    expect(await revoke()).toEqual({ warnings: [] });
    expect(modeOf(file())).toBe(mode);
    await writeGrantKey(join(folder, 'signing.json'), file(), ['workspace']);
    expect(modeOf(file())).toBe(mode);
    expect(modeOf(join(folder, 'signing.json'))).toBe(0o600);
    expect(readdirSync(folder).sort()).toEqual(['keys.json', 'signing.json']);
  });

  test('a new key set may be read by everyone and written by its owner', async () => {
    await writeGrantKey(join(folder, 'signing.json'), join(folder, 'new.json'), ['workspace']);
    expect(modeOf(join(folder, 'new.json'))).toBe(0o644);
  });
});

test.runIf(isRoot)('the owner and the group are kept', async () => {
  chownSync(file(), USER, GROUP);
  expect(await revoke()).toEqual({ warnings: [] });
  expect(statSync(file())).toMatchObject({ uid: USER, gid: GROUP });
});

test.runIf(isRoot).each([
  ['owner and group', 0, 0],
  ['group', USER, GROUP],
])('what a user who is not root cannot keep is said: %s', async (lost, uid, gid) => {
  chownSync(file(), uid, gid);
  chmodSync(folder, 0o777);
  process.setegid?.(GROUP + 1);
  process.seteuid?.(USER);
  try {
    expect(await revoke()).toEqual({
      warnings: [
        `the file of the key set could not keep its ${lost}: check that workers can read it (chown ${uid}:${gid})`,
      ],
    });
    expect(modeOf(file())).toBe(0o644);
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
  }
});

test('a link stays a link, and the file that it leads to keeps its mode', async () => {
  const link = join(folder, 'link.json');
  symlinkSync(file(), link);
  chmodSync(file(), 0o640);
  await revokeGrants(link, REVOCATION);
  expect(
    readdirSync(folder, { withFileTypes: true })
      .find(({ name }) => name === 'link.json')
      ?.isSymbolicLink(),
  ).toBe(true);
  expect(modeOf(file())).toBe(0o640);
  expect(await revisionOfFile(link)).toBe(await revisionOfFile(file()));
});

test('a file that others may write keeps its mode, and the result says that workers refuse it', async () => {
  chmodSync(file(), 0o666);
  expect(await revoke()).toEqual({ warnings: [expect.stringContaining('others may write the file of the key set')] });
  expect(modeOf(file())).toBe(0o666);
});

test('what others have in the set stays: their keys, their members and the revocations', async () => {
  const others = {
    keys: [
      { kty: 'RSA', n: 'a', e: 'AQAB' },
      { ...keys.pair.publicKey, x5t: 'b' },
    ],
    issuer: 'platform',
  };
  writeFileSync(file(), JSON.stringify({ ...others, revoked: [{ workflowId: 'one' }] }));
  await revoke();
  expect(JSON.parse(readFileSync(file(), 'utf8'))).toEqual({ ...others, revoked: [{ workflowId: 'one' }, REVOCATION] });
});

describe('a file is refused', () => {
  const of = (mode: number, uid = 1_000) => ({ mode, uid }) as ReturnType<typeof statSync> as never;
  const FOLDER = of(0o40755);

  test.each<[string, never, never, RegExp | undefined]>([
    ['unless it is own', of(0o100644), FOLDER, undefined],
    ["unless it is root's", of(0o100644, 0), FOLDER, undefined],
    ["if it is another user's", of(0o100644, 1_001), FOLDER, /another user owns/],
    ['if its group may write', of(0o100660), FOLDER, /others may write/],
    ["if it is root's and all may write", of(0o100606, 0), FOLDER, /others may write/],
    ['if all may replace it', of(0o100644), of(0o40777, 0), /others may replace/],
    ['unless its folder is sticky', of(0o100644), of(0o41777, 0), undefined],
  ])('%s [G3]', (_, stats, parent, problem) => {
    const found = permissionProblem(stats, parent, 1_000);
    if (problem) expect(found).toMatch(problem);
    else expect(found).toBeUndefined();
  });
});
