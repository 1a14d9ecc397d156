/**
 * Runs the parts in a separate process, which can be killed or run as another user. It runs plain JavaScript in a
 * temporary folder that every user can read, because the checkout may not be readable.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** Read once, because tests change `TMPDIR` to see what is left in it. */
const TEMPORARY_FOLDER = tmpdir();
const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

export interface Elsewhere<T> {
  readonly child: ChildProcess;
  /** What the script printed, as JSON. */
  readonly printed: T;
  /** The script's own `TMPDIR`. */
  readonly temporaryFolder: string;
}

const cleanups: (() => Promise<void>)[] = [];

/** Ends the remaining processes and removes the folders. Call it after each test. */
export async function clearElsewhere(): Promise<void> {
  for (let cleanup = cleanups.pop(); cleanup; cleanup = cleanups.pop()) await cleanup();
}

/**
 * Runs a module next to the compiled files of `src/dev/`, until it prints a line of JSON. A timer keeps it alive.
 *
 * @param script - imports `./postgres.js` and the like
 * @param options.withPackages - whether this project's packages are installed there. Default: true.
 */
export async function runElsewhere<T>(script: string, { withPackages = true } = {}): Promise<Elsewhere<T>> {
  const folder = await publicFolder();
  const temporaryFolder = await publicFolder(0o777);
  await compileParts(folder);
  if (withPackages) await symlink(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'script.mjs'), `setInterval(() => {}, 60_000);\n${script}`);
  const child = spawn(process.execPath, [join(folder, 'script.mjs')], {
    cwd: '/',
    env: { ...process.env, TMPDIR: temporaryFolder, DATABASE_URL: '', TEMPORAL_ADDRESS: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  cleanups.push(async () => {
    if (child.exitCode === null && child.signalCode === null && child.kill()) await once(child, 'exit');
  });
  for await (const line of createInterface({ input: child.stdout })) {
    return { child, temporaryFolder, printed: JSON.parse(line) as T };
  }
  throw new Error(`the script ended before it printed a line of JSON: ${stderr}`);
}

/** A temporary folder, removed after the test. Default mode 0755. */
export async function publicFolder(mode = 0o755): Promise<string> {
  const folder = await mkdtemp(join(TEMPORARY_FOLDER, 'workspace-providers-test-'));
  await chmod(folder, mode);
  cleanups.push(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

async function compileParts(folder: string): Promise<void> {
  const sources = join(PROJECT, 'src/dev');
  const files = (await readdir(sources)).filter((file) => file.endsWith('.ts'));
  const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
  for (const file of files) {
    const source = await readFile(join(sources, file), 'utf8');
    const { outputText } = ts.transpileModule(source, { compilerOptions });
    await writeFile(join(folder, file.replace(/\.ts$/, '.js')), outputText);
  }
  await writeFile(join(folder, 'package.json'), '{ "type": "commonjs" }');
}
