/** A stopped process does nothing, and continues later, even if the process that stopped it is gone. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import ts from 'typescript';
import { afterEach, expect, test, vi } from 'vitest';
import { kill, pause, pauseFor } from './signals.js';

const run = promisify(execFile);
const SIGNALS = fileURLToPath(new URL('signals.ts', import.meta.url));

const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** Starts a process that does nothing for a long time. */
async function idle(): Promise<number> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 60_000)'], { stdio: 'ignore' });
  children.push(child);
  await once(child, 'spawn');
  return child.pid!;
}

/** `T` for a stopped process, or an empty text if there is no such process. */
async function state(pid: number): Promise<string> {
  const { stdout } = await run('ps', ['-o', 'stat=', '-p', String(pid)]).catch(() => ({ stdout: '' }));
  return stdout.trim();
}

test('pause stops a process, and its result continues it, even if it is called twice', async () => {
  const pid = await idle();
  const resume = await pause(pid);
  await vi.waitFor(async () => expect(await state(pid)).toMatch(/^T/));
  await resume();
  await resume();
  await vi.waitFor(async () => expect(await state(pid)).toMatch(/^[SR]/));
});

test('pauseFor stops a process for a while, or until its signal is aborted', async () => {
  const pid = await idle();
  const startedAt = performance.now();
  await pauseFor(pid, 100);
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(99);
  const aborted = new AbortController();
  const paused = pauseFor(pid, 3_600_000, aborted.signal);
  await vi.waitFor(async () => expect(await state(pid)).toMatch(/^T/));
  aborted.abort();
  await paused;
  await vi.waitFor(async () => expect(await state(pid)).toMatch(/^[SR]/));
});

test('kill also kills a stopped process, and accepts one that is gone', async () => {
  const pid = await idle();
  const resume = await pause(pid);
  await kill(pid);
  expect(await state(pid)).toBe('');
  await kill(pid);
  await resume();
  await expect(pause(pid)).rejects.toMatchObject({ code: 'ESRCH' });
});

test('a stopped process continues if the process that stopped it is killed', async () => {
  const pid = await idle();
  const { outputText } = ts.transpileModule(await readFile(SIGNALS, 'utf8'), {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  });
  const script = `${outputText}\nawait pause(${pid});\nconsole.log('paused');\nsetInterval(() => {}, 60_000);`;
  const stopper = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(stopper);
  await once(stopper.stdout, 'data');
  await vi.waitFor(async () => expect(await state(pid)).toMatch(/^T/));
  stopper.kill('SIGKILL');
  await vi.waitFor(async () => expect(await state(pid)).toMatch(/^[SR]/), 5_000);
});
