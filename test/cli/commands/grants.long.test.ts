/** How an operator creates and replaces grant keys, and revokes grants. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { GrantSigner } from '../../../src/client.js';
import { GrantVerifier } from '../../../src/grants/grant-verifier.js';
import { documentOf } from '../operator.js';
import { runCli } from '../run-cli.js';

const folder = mkdtempSync(join(tmpdir(), 'grant-keys-'));
afterAll(() => rmSync(folder, { recursive: true }));

const [first, second, keySet] = ['first.json', 'second.json', 'keys.json'].map((name) => join(folder, name)) as [
  string,
  string,
  string,
];
const make = (signingKey: string, ...more: string[]) =>
  runCli(['grants', 'create-key', '--signing-key', signingKey, '--key-set', keySet, ...more]);

type Kind = 'workspace' | 'operator';

function sign(signingKey: string, kind: Kind = 'workspace'): Promise<string> {
  const grant = { subject: 'ws_acme', namespace: 'default', workflowIds: ['answer-1'] };
  return new GrantSigner(signingKey).sign(kind, grant);
}

async function isAccepted(signingKey: string, kind: Kind = 'workspace', signed?: string): Promise<boolean> {
  const token = signed ?? (await sign(signingKey, kind));
  const use = { namespace: 'default', workflowId: 'answer-1' };
  return new GrantVerifier(keySet).verify(kind, token, use).then(
    () => true,
    () => false,
  );
}

it('grants creates a key and a second one, revokes a signed grant, and never shows a private key', async () => {
  const made = await make(first, '--json');
  expect(made).toMatchObject({ exitCode: 0, stderr: '' });
  const { kid } = documentOf(made);
  expect(documentOf(made)).toEqual({ kid, grants: ['workspace'], warnings: [] });
  expect(statSync(first).mode & 0o777).toBe(0o600);
  expect([await isAccepted(first), await isAccepted(first, 'operator')]).toEqual([true, false]);

  const next = await make(second, '--for', 'both');
  expect(next.stdout).toMatch(/^✔ created {5}key [\w-]{43} · signs grants of workspaces and operators\n$/);
  expect([await isAccepted(first), await isAccepted(second, 'operator')]).toEqual([true, true]);

  const signed = await sign(first);
  const revoked = await runCli(['grants', 'revoke', '--no-wait', '--key-set', keySet, '--workflow', 'answer-1']);
  expect(revoked.stdout).toMatch(/^✔ revoked {5}answer-1 · until \S+\n$/);
  expect(await isAccepted(first, 'workspace', signed)).toBe(false);
  // A signer whose clock is ahead may have signed this before the revocation.
  expect(await isAccepted(first)).toBe(false);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 });
  expect(await isAccepted(first)).toBe(true);
  vi.useRealTimers();
  expect(JSON.parse(readFileSync(keySet, 'utf8')).keys).toHaveLength(2);

  const privates = [first, second].map((file) => JSON.parse(readFileSync(file, 'utf8')).d as string);
  const printed = [made, next, revoked].map(({ stdout, stderr }) => stdout + stderr).join();
  for (const secret of privates) {
    expect(printed).not.toContain(secret);
    expect(readFileSync(keySet, 'utf8')).not.toContain(secret);
  }
});

it('grants leaves the key set unchanged if an argument or a file is invalid', async () => {
  const before = readFileSync(keySet, 'utf8');
  const refused = async (args: readonly string[], message: RegExp) => {
    const { exitCode, stderr } = await runCli(args);
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringMatching(message) });
  };
  await refused(
    ['grants', 'create-key', '--signing-key', first, '--key-set', keySet],
    /the signing key exists already/,
  );
  await refused(
    ['grants', 'create-key', '--signing-key', `${first}2`, '--key-set', keySet, '--for', 'all'],
    /--for must be/,
  );
  await refused(
    ['grants', 'revoke', '--no-wait', '--key-set', keySet],
    /give exactly one of --workflow, --subject and --grant/,
  );
  await refused(
    ['grants', 'revoke', '--no-wait', '--key-set', `${keySet}2`, '--grant', 'a'],
    /the key set cannot be read/,
  );
  expect(readFileSync(keySet, 'utf8')).toBe(before);
  const bounded = ['grants', 'revoke', '--key-set', keySet, '--grant', 'a', '--wait-limit', 'soon'];
  await refused(bounded, /--wait-limit must be a duration/);
  await refused(
    ['grants', 'revoke', '--key-set', keySet, '--grant', 'a'],
    /is not set[\s\S]*--no-wait needs no database/,
  );
  expect(readFileSync(keySet, 'utf8')).toBe(before);
  writeFileSync(keySet, '{"keys":');
  await refused(
    ['grants', 'revoke', '--no-wait', '--key-set', keySet, '--grant', 'a'],
    /the key set is not a JSON Web Key Set/,
  );
  expect(readFileSync(keySet, 'utf8')).toBe('{"keys":');
});
