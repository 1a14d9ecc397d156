/** The projects of `test/projects/` in a temporary folder, with the packed package installed by npm. Needs a build. */
import { type ChildProcess, spawn } from 'node:child_process';
import { cp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import type { Teardown } from '../../testbed/teardown.js';
import { createScratchProject, type Outcome, REPOSITORY, run, type ScratchProject } from './scratch-project.js';

const { PATH = '', HOME = '' } = process.env;
/** How long a worker may take to end after SIGTERM. */
const STOP_MS = 15_000;

export interface InstalledProject {
  readonly folder: string;
  /** The path of the packed package. */
  readonly tarball: string;
  readonly scratch: ScratchProject;
  /** What npm printed when it installed, with peers checked strictly. */
  readonly installed: Outcome;
  /** Runs a program of `node_modules` to its end. */
  tool(script: string, ...args: readonly string[]): Promise<Outcome>;
  /** Starts Node in the folder, and stops it at the end of the test. */
  start(args: readonly string[], env: Readonly<Record<string, string>>): RunningProgram;
}

export interface RunningProgram {
  readonly child: ChildProcess;
  /** Resolves to what the pattern's group matched in the first printed line that matches. */
  line(pattern: RegExp): Promise<string>;
  /** Sends SIGTERM, and returns the exit code and what the program printed. */
  stop(): Promise<{ readonly exitCode: number | null; readonly printed: string }>;
}

export async function installProject(teardown: Teardown): Promise<InstalledProject> {
  const scratch = await createScratchProject();
  teardown.defer(() => scratch.remove());
  const { folder } = scratch;
  await cp(join(REPOSITORY, 'test/projects'), folder, { recursive: true });
  for (const example of ['ai-sdk', 'langchain', 'openai-agents', 'pinecone'])
    await cp(join(REPOSITORY, 'examples', example), join(folder, example), { recursive: true });
  await run(REPOSITORY, 'npm', ['pack', '--ignore-scripts', '--pack-destination', folder]);
  const name = (await readdir(folder)).find((file) => file.endsWith('.tgz'));
  const tarball = join(folder, name ?? 'the tarball is missing');
  const quietly = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  const installed = await run(folder, 'npm', ['install', '--strict-peer-deps', ...quietly, tarball]);
  return {
    ...{ folder, tarball, scratch, installed },
    tool: (script, ...args) => run(folder, process.execPath, [join('node_modules', script), ...args]),
    start(args, env) {
      const stdio = ['ignore', 'pipe', 'pipe'] as const;
      const child = spawn(process.execPath, args, { cwd: folder, env: { PATH, HOME, ...env }, stdio: [...stdio] });
      const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
      const printed = Promise.all([text(child.stdout), text(child.stderr)]);
      const stop = async () => {
        child.kill('SIGTERM');
        const giveUp = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
        const exitCode = await ended;
        clearTimeout(giveUp);
        return { exitCode, printed: (await printed).join('\n') };
      };
      onTestFinished(async () => void (await stop()));
      return { child, stop, line: (pattern) => firstMatch(child.stdout, pattern) };
    },
  };
}

function firstMatch(output: Readable, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = '';
    output.on('data', (chunk: Buffer) => {
      printed += chunk;
      const found = printed
        .split('\n')
        .map((line) => pattern.exec(line)?.[1])
        .find(Boolean);
      if (found) resolve(found);
    });
    output.once('end', () => reject(new Error(`the program ended before it printed ${pattern}`)));
  });
}
