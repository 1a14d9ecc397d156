/** Runs docs/deploying.md as it is printed, in the project that the README leads to. */
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startPgBouncer } from '../../testbed/pgbouncer.js';
import type { Teardown } from '../../testbed/teardown.js';
import { startTlsPostgres } from '../support/tls-postgres.js';
import { useStage } from '../support/use-stage.js';
import { readBlocks, readPage } from './page-blocks.js';
import { type Reader, type RunningBlock, readerStage } from './reader-stage.js';

const TIMEOUT_MS = 180_000;
const MANAGE = 'npx workspace-providers --env-file .workspace-providers/manager.env';

const sections = readPage('docs/deploying.md').split(/^##+ /m);
/** The blocks below a heading. */
const blocksOf = (heading: string) => readBlocks(sections.find((section) => section.startsWith(`${heading}\n`)) ?? '');

const tls = useStage(async (teardown) => {
  const postgres = await startTlsPostgres(teardown);
  const { authority } = postgres.files;
  const serverUrl = postgres.with({ sslmode: 'verify-full', sslrootcert: authority });
  return { authority, reader: await project(teardown, serverUrl) };
});
const plain = useStage(async (teardown) => ({ teardown, reader: await project(teardown) }));

/** The README's files, and its installation. */
async function project(teardown: Teardown, serverUrl?: string): Promise<Reader> {
  const reader = await readerStage(teardown, { installed: true, ...(serverUrl && { serverUrl }) });
  for (const block of readBlocks(readPage('README.md'))) {
    if (['workflows.ts', 'worker.ts', 'start.ts'].includes(block.file ?? '')) await reader.follow(block);
  }
  return reader;
}

function configure({ run, newKey, llm }: Reader, options = '') {
  const local = `--set model=claude-sonnet-5-5 --set baseURL=${llm.baseUrls.anthropic.sdk}`;
  return run(`${MANAGE} ${options} configure ws_acme llm anthropic ${local}`, { stdin: newKey() });
}

const init = ({ run, adminUrl }: Reader) =>
  run('npx workspace-providers init', { env: { PROVIDER_ADMIN_DATABASE_URL: adminUrl } });

const compile = ({ run }: Reader) =>
  run('npx tsc --module nodenext --target es2022 --types node --skipLibCheck workflows.ts worker.ts start.ts');

const ask = async ({ run }: Reader) => (await run('node --env-file=.workspace-providers/starter.env start.js')).stdout;

/** Waits as a reader does who types the next command: a worker is RUNNING before its first polls reach the server. */
async function serverKnows({ run }: Reader, buildId: string): Promise<void> {
  const described = `temporal worker deployment describe-version --deployment-name agents --build-id ${buildId} -o json`;
  const knownQueues = async () => JSON.parse((await run(`${described} || echo '{}'`)).stdout).taskQueuesInfos ?? [];
  await expect.poll(knownQueues, { timeout: 30_000 }).toHaveLength(2);
}

async function endsByItself(running: RunningBlock): Promise<void> {
  expect(await running.end('SIGTERM'), running.said()).toBe(0);
}

describe('deploying:', () => {
  it('a Postgres with TLS and a private authority serves everything', { timeout: TIMEOUT_MS }, async () => {
    const { reader, authority } = tls;
    await copyFile(authority, join(reader.folder, 'postgres-ca.pem'));
    const [block, ...others] = blocksOf('TLS');
    expect(others).toEqual([]);
    const [ADMIN_URL = ''] = reader.adminUrl.split('?');
    const { stdout, stderr } = await reader.follow(block, { env: { ADMIN_URL } });
    expect(stdout).toContain('created');
    expect(stderr).toBe('');
    await configure(reader);
    await compile(reader);
    const worker = reader.start('node --env-file=.workspace-providers/worker.env worker.js');
    await worker.until(/RUNNING/);
    expect(await ask(reader)).toBe('Saturday.\n');
    await endsByItself(worker);
    expect(worker.said()).not.toMatch(/warning/i);
  });

  it('a worker behind a pooler answers, and hears of changes', { timeout: TIMEOUT_MS }, async () => {
    const { reader, teardown } = plain;
    await init(reader);
    await configure(reader);
    await compile(reader);
    const pooler = await teardown.use(startPgBouncer({ postgresUrl: plain.reader.superuserUrl }));
    const env = await reader.run('cat .workspace-providers/worker.env');
    const [, DIRECT_URL = ''] = /PROVIDER_DATABASE_URL='?([^'\n]+)/.exec(env.stdout) ?? [];
    const [block] = blocksOf('Poolers');
    const worker = reader.start(block?.text ?? '', { DIRECT_URL, POOLER_URL: pooler.through(DIRECT_URL) });
    await worker.until(/RUNNING/);
    expect(await ask(reader)).toBe('Saturday.\n');
    const { stdout } = await configure(reader, '--json');
    expect(JSON.parse(stdout)).toMatchObject({ fence: { complete: true, workers: [{ outcome: 'applied' }] } });
    expect(JSON.parse(stdout).fence.tookMs).toBeLessThan(2_000);
    await endsByItself(worker);
  });

  it('a bundle of its own and versioned workers answer across a release', { timeout: TIMEOUT_MS }, async () => {
    const { reader } = plain;
    await init(reader);
    await configure(reader);
    for (const block of blocksOf('Your own workflow bundle')) await reader.follow(block);
    const blocks = [...blocksOf('Versions of workers')];
    const answers: string[] = [];
    const running: RunningBlock[] = [];
    for (const block of blocks) {
      if (block.mark === 'server') {
        const worker = reader.start(block.text);
        running.push(worker);
        await worker.until(/RUNNING/);
        await serverKnows(reader, /BUILD_ID=(\S+)/.exec(block.text)?.[1] ?? '');
      } else answers.push((await reader.follow(block)).stdout);
    }
    expect(answers).toEqual([expect.stringMatching(/Saturday\.\n$/), expect.stringMatching(/Saturday\.\n$/)]);
    const [old, current] = running;
    if (!old || !current) throw new Error('the page has two versions');
    await endsByItself(old);
    expect(await ask(reader)).toBe('Saturday.\n');
    await endsByItself(current);
  });
});

it('every block of the page is run', () => {
  const run = ['TLS', 'Your own workflow bundle', 'Versions of workers', 'Poolers'].flatMap(blocksOf);
  expect(
    readBlocks(readPage('docs/deploying.md'))
      .map(({ text }) => text)
      .sort(),
  ).toEqual(run.map(({ text }) => text).sort());
});
