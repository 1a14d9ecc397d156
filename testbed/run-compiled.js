/**
 * Runs a TypeScript program of this repository that is not part of the package (the demo, the fault run, the leak
 * test). It is compiled beside a copy of `dist/`, so that a build meanwhile does not remove what it needs. The copy and
 * the run's data are removed at the end, also if this process is killed. Run `npm run build` first.
 */
import { spawn } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Waits until the watchers of Postgres and Temporal have stopped them. */
const REMOVE_ORPHANED = 'read -r _; sleep 15; rm -rf -- "$@"';

/**
 * Runs the program, then ends this process.
 *
 * @param name - the name of the run, part of its folders' names
 * @param folders - folders whose TypeScript is compiled; every imported module must be in one of them
 * @param main - the module to run, without its extension
 * @param run - receives the module and a folder for its data; returns the exit code
 */
export async function runCompiled({ name, folders, main, run }) {
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM')); // if a test runs this
  const cache = join(ROOT, 'node_modules', '.cache');
  await mkdir(cache, { recursive: true });
  const program = await mkdtemp(join(cache, `${name}-`));
  const data = await mkdtemp(join(tmpdir(), `workspace-providers-${name}-`));
  await chmod(data, 0o711); // Postgres may run as another user
  const watcher = spawn('/bin/sh', ['-c', REMOVE_ORPHANED, 'watcher', program, data], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  watcher.unref();
  watcher.stdin.unref();

  try {
    await assemble(program, folders);
    process.exitCode = await run(await import(pathToFileURL(join(program, `${main}.js`)).href), data);
  } finally {
    await Promise.all([program, data].map((folder) => rm(folder, { recursive: true, force: true, maxRetries: 3 })));
    watcher.kill('SIGKILL');
  }
  // Handles that Temporal's client leaves open may keep the process alive for a while.
  process.exit();
}

/** Makes a small copy of the repository: compiled sources, dependencies in place. */
async function assemble(program, folders) {
  await cp(join(ROOT, 'dist'), join(program, 'src'), { recursive: true });
  await cp(join(ROOT, 'src/store/schema'), join(program, 'src/store/schema'), { recursive: true });
  // Examples import the package by its name, as users do.
  const manifest = await readFile(join(ROOT, 'package.json'), 'utf8');
  await writeFile(join(program, 'package.json'), manifest.replaceAll('"./dist/', '"./src/'));
  for (const folder of folders) {
    await mkdir(join(program, folder), { recursive: true });
    for (const name of await readdir(join(ROOT, folder))) {
      if (!name.endsWith('.ts') || name.endsWith('.test.ts')) continue;
      const { outputText } = ts.transpileModule(await readFile(join(ROOT, folder, name), 'utf8'), {
        compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true },
      });
      await writeFile(join(program, folder, name.replace(/ts$/, 'js')), outputText);
    }
  }
}
