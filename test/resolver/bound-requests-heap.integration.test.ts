/**
 * What a heap snapshot shows of a process whose step has a request under way. It is what the threat model says of memory:
 * no guarantee, but what to expect.
 */
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startService } from '../providers/local-service.js';
import { newWorkspace, UNFENCED, useAgentStage } from '../support/agent-stage.js';

const stage = useAgentStage();

const RESOLVER = new URL('../../dist/resolver/provider-resolver.js', import.meta.url).href;

/** Takes a snapshot when it is told that its request has arrived, and one when its step has ended. */
const PROGRAM = `
  import { once } from 'node:events';
  import { writeHeapSnapshot } from 'node:v8';
  import { ProviderResolver } from '${RESOLVER}';
  const [workspaceId, during, after, hidden] = process.argv.slice(2);
  // The control: nothing else has this text, at the end of a long string of two-byte characters.
  const long = '\u0101'.repeat(5_000) + Buffer.from(hidden, 'hex').toString();
  globalThis.planted = Buffer.from(long, 'utf16le').toString('utf16le');
  const resolver = await ProviderResolver.connect();
  const reference = await resolver.resolveLlmKey({ workspaceId, provider: 'local' });
  await resolver.withProvider(reference, async ({ fetch, credential }) => {
    const headers = { authorization: 'Bearer ' + credential.apiKey };
    const answer = fetch('/held', { method: 'POST', body: '{}', headers });
    await once(process, 'message');
    writeHeapSnapshot(during);
    process.send('taken');
    await (await answer).text();
  });
  writeHeapSnapshot(after);
  await resolver.close();
  process.disconnect();
`;

/** A service that answers when it is told to. */
async function startHeldService() {
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  let arrive = () => {};
  const arrived = new Promise<void>((resolve) => (arrive = resolve));
  const answer = async function* () {
    await released;
    yield '{}';
  };
  const { url, requests } = await startService(() => {
    arrive();
    return { status: 200, events: answer() };
  });
  return { url, requests, arrived, release };
}

test('a heap snapshot that is taken within a step, or after it, has the key of its provider, and no credential that nobody opened', async () => {
  const service = await startHeldService();
  const config = { baseURL: service.url, model: 'local-1' };
  const keyOf = async (workspaceId: string, name: string) => {
    const apiKey = randomBytes(36).toString('hex');
    await stage.manager.configureProvider({ workspaceId, type: 'llm', name, config, secret: { apiKey } }, UNFENCED);
    return apiKey;
  };
  const workspaceId = newWorkspace();
  const planted = randomBytes(36).toString('base64url');
  const held = {
    planted,
    'the key of the step': await keyOf(workspaceId, 'local'),
    'the root key': stage.encryptionKey.replace(/^.*:/, ''),
    'the password of the database': new URL(stage.database.resolverUrl).password,
  };
  const sealed = {
    'the key of another provider': await keyOf(workspaceId, 'other'),
    'the key of another workspace': await keyOf(newWorkspace(), 'local'),
  };

  const folder = await mkdtemp(join(tmpdir(), 'workspace-providers-heap-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const [program, during, after] = [join(folder, 'step.mjs'), join(folder, 'during'), join(folder, 'after')] as const;
  await writeFile(program, PROGRAM);
  const { PATH, HOME } = process.env;
  const child = fork(program, [workspaceId, during, after, Buffer.from(planted).toString('hex')], {
    env: { PATH, HOME, ...stage.workerEnv },
    // V8 writes the first 1,024 characters of a string if it is not told otherwise.
    execArgv: ['--heap-snapshot-string-limit=1000000000'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const exited = once(child, 'exit');
  await Promise.race([service.arrived, exited]);
  child.send('the request has arrived');
  await Promise.race([once(child, 'message'), exited]);
  service.release();
  expect(await exited).toEqual([0, null]);
  expect(service.requests).toMatchObject([{ headers: { authorization: `Bearer ${held['the key of the step']}` } }]);

  for (const file of [during, after]) {
    const snapshot = await readFile(file, 'latin1');
    // Strings of one and of two bytes per character are written alike.
    const found = Object.entries({ ...held, ...sealed }).filter(([, text]) => snapshot.includes(text));
    expect(found.map(([what]) => what)).toEqual(Object.keys(held));
  }
});
