/**
 * A project in a temporary folder, with the tool configs and packages of this repository, in which tests plant
 * violations. The tools run as processes, as `npm run check` runs them, so a test sees the output of the command.
 */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

export interface ScratchProject {
  readonly folder: string;
  write(path: string, text: string): Promise<void>;
  remove(): Promise<void>;
}

/** @param copied - the files of the repository's root that are copied into the project */
export async function createScratchProject(copied: readonly string[] = []): Promise<ScratchProject> {
  const folder = await mkdtemp(join(tmpdir(), 'workspace-providers-scratch-'));
  for (const file of copied) await copyFile(join(REPOSITORY, file), join(folder, file));
  return {
    folder,
    async write(path, text) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Makes the repository's packages importable in a folder: all of them, or the named ones. */
export async function linkPackages(folder: string, names?: readonly string[]): Promise<void> {
  if (!names) return symlink(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules'));
  for (const name of names) {
    const link = join(folder, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(REPOSITORY, 'node_modules', name), link);
  }
}

export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function run(folder: string, command: string, args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { cwd: folder, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') return reject(error);
      resolve({ exitCode: Number(error?.code ?? 0), stdout, stderr });
    });
  });
}

/** Runs a tool from the repository's node_modules with the Node that runs the tests. */
export function runTool(folder: string, script: string, args: readonly string[]): Promise<Outcome> {
  return run(folder, process.execPath, [join(REPOSITORY, 'node_modules', script), ...args]);
}
