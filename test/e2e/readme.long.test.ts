/** Runs README.md as it is printed: its commands and its files, in an empty folder, in the order of the page. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FenceReport } from '../../src/protocol/rotation.js';
import { REPOSITORY } from '../architecture/scratch-project.js';
import { useStage } from '../support/use-stage.js';
import { readBlocks, readPage } from './page-blocks.js';
import { type Reader, type RunningBlock, readerStage } from './reader-stage.js';

/** npm installs about 200 packages. */
const TIMEOUT_MS = 300_000;
const README = readPage('README.md');

const reader = useStage((teardown) => readerStage(teardown));

describe('the README', () => {
  it('leads from an empty folder to an answered workflow and a rotated key', { timeout: TIMEOUT_MS }, async () => {
    const startedAt = performance.now();
    const blocks = readBlocks(README).filter(({ mark }) => mark !== 'clone');
    const next = (options?: Parameters<Reader['follow']>[1]) => reader.follow(blocks.shift(), options);
    const start = () => {
      const block = blocks.shift();
      expect(block?.mark).toBe('server');
      return reader.start(block?.text ?? '');
    };

    await next(); // installs
    const installedAt = performance.now();
    await next({ env: { PROVIDER_ADMIN_DATABASE_URL: reader.adminUrl } });
    await next({ stdin: reader.newKey() });
    await configureLocalModel(reader, reader.newKey());
    for (const file of ['workflows.ts', 'worker.ts', 'start.ts', 'activities.ts']) {
      expect(blocks[0]?.file).toBe(file);
      await next();
    }
    await next(); // compiles
    const worker = start();
    await worker.until(/RUNNING/);
    expect((await next()).stdout).toBe('Saturday.\n');

    const rotations = start();
    await rotations.until(/ready/);
    const key = reader.newKey();
    await reader.write('new-key', key);
    const managed = await next();
    for (const line of [/checked/, /activated/, /fenced/, /drained/])
      expect(managed.stderr + managed.stdout).toMatch(line);
    expect(blocks).toEqual([]);

    await enable(reader);
    expect((await reader.run('node --env-file=.workspace-providers/starter.env start.js')).stdout).toBe('Saturday.\n');
    expect(reader.llm.callsWith(key).filter(({ path }) => path === '/v1/messages')).toHaveLength(1);
    // npx reports the signal, so the code of the worker under it is not seen. The fence shows that it has deregistered.
    await rotations.end('SIGTERM');
    await endsByItself(worker);
    const { workers, tookMs } = await fenceOfNextChange(reader);
    expect(workers).toEqual([]);
    expect(tookMs).toBeLessThan(1_000);
    const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
    console.error(
      `README: ${seconds(performance.now() - startedAt)}, of which npm ${seconds(installedAt - startedAt)}; ` +
        `fence after SIGTERM ${tookMs} ms`,
    );
  });

  it('compiles and serves its activity in a worker', { timeout: TIMEOUT_MS }, async () => {
    await enable(reader);
    await reader.run('npm install @anthropic-ai/sdk');
    await reader.write('own-workflows.ts', OWN_WORKFLOW);
    const worker = (await reader.run('cat worker.ts')).stdout
      .replace("'workflows.js'", "'own-workflows.js'")
      .replace('plugins:', 'activities,\n  plugins:');
    await reader.write('own-worker.ts', `import * as activities from './activities.js';\n${worker}`);
    const start = (await reader.run('cat start.ts')).stdout;
    await reader.write(
      'own-start.ts',
      start
        .replace("'./workflows.js'", "'./own-workflows.js'")
        .replaceAll("'answer'", "'models'")
        .replaceAll('answer', 'models'),
    );
    await reader.run(
      'npx tsc --module nodenext --target es2022 --types node --strict --skipLibCheck own-workflows.ts own-worker.ts own-start.ts',
    );
    const running = reader.start('node --env-file=.workspace-providers/worker.env own-worker.js');
    await running.until(/RUNNING/);
    const { stdout } = await reader.run('node --env-file=.workspace-providers/starter.env own-start.js');
    expect(stdout).toContain('claude-sonnet-5-5');
    await endsByItself(running);
  });
});

describe('the README is honest:', () => {
  it('it has at most 200 lines', () => {
    expect(README.trimEnd().split('\n').length).toBeLessThanOrEqual(200);
  });

  it('the commands for a clone are scripts of the package', () => {
    const { scripts } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const clone = readBlocks(README).filter(({ mark }) => mark === 'clone');
    const named = clone.flatMap(({ text }) =>
      Array.from(text.matchAll(/npm (?:run )?(demo|test)\b/g), ([, name = '']) => name),
    );
    expect(named).toEqual(['demo', 'test']);
    for (const name of named) expect(scripts).toHaveProperty(name);
  });
});

const OWN_WORKFLOW = `
import { proxyActivities } from '@temporalio/workflow';
import type * as activities from './activities.js';
const { listModels } = proxyActivities<typeof activities>({ startToCloseTimeout: '1 minute' });
export async function models(_question: string): Promise<string> {
  return (await listModels()).join(', ');
}
`;

/** The variation that the page names, for the stand-in. */
function configureLocalModel({ run, llm }: Reader, stdin: string) {
  const [, baseURL = ''] = /`--set (baseURL=)http/.exec(README) ?? [];
  return run(
    'npx workspace-providers --env-file .workspace-providers/manager.env ' +
      `configure ws_acme llm anthropic --set model=claude-sonnet-5-5 --set ${baseURL}${llm.baseUrls.anthropic.sdk}`,
    { stdin },
  );
}

function enable({ run }: Reader) {
  return run('npx workspace-providers --env-file .workspace-providers/manager.env enable ws_acme llm anthropic');
}

async function endsByItself(running: RunningBlock): Promise<void> {
  const signalledAt = performance.now();
  expect(await running.end('SIGTERM'), running.said()).toBe(0);
  expect(performance.now() - signalledAt).toBeLessThan(5_000);
}

async function fenceOfNextChange({ run }: Reader): Promise<FenceReport> {
  const { stdout } = await run(
    'npx workspace-providers --json --env-file .workspace-providers/manager.env disable ws_acme llm anthropic',
  );
  return JSON.parse(stdout).fence;
}
