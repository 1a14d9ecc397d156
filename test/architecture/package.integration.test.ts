/**
 * The package as it is published: packed, unpacked into another project and used from there under plain Node, by ES
 * modules and by CommonJS. That project has only the packages that our package declares.
 * Needs a build (`npm test` makes one). This tests the decision docs/adr/0001-module-format.md.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createScratchProject,
  linkPackages,
  REPOSITORY,
  run,
  runTool,
  type ScratchProject,
} from './scratch-project.js';

const TIMEOUT_MS = 120_000;

interface Manifest {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** What a project with a worker has. It has no AI SDK and no viem, which only some steps load. */
const OF_A_WORKER = ['activity', 'client', 'common', 'worker', 'workflow'].map((name) => `@temporalio/${name}`);

describe('the published package', () => {
  let project: ScratchProject;
  let manifest: Manifest;
  let packedFiles: readonly string[];

  /** Runs a file of that project and returns the JSON that it prints. */
  async function runFile(path: string, code: string): Promise<unknown> {
    await project.write(path, code);
    const { exitCode, stdout, stderr } = await run(project.folder, process.execPath, [path]);
    expect(exitCode, stderr).toBe(0);
    return JSON.parse(stdout);
  }

  beforeAll(async () => {
    if (!existsSync(join(REPOSITORY, 'dist/index.js'))) throw new Error('dist/ is missing: run `npm run build` first');
    manifest = JSON.parse(await readFile(join(REPOSITORY, 'package.json'), 'utf8')) as Manifest;
    project = await createScratchProject();

    const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', project.folder];
    const [tarball] = JSON.parse((await run(REPOSITORY, 'npm', pack)).stdout) as [
      { filename: string; files: readonly { path: string }[] },
    ];
    packedFiles = tarball.files.map(({ path }) => path);

    const installed = 'node_modules/workspace-providers';
    await project.write(`${installed}/.unpacking`, '');
    const unpack = ['-xzf', tarball.filename, '--strip-components=1', '-C', installed];
    expect(await run(project.folder, 'tar', unpack)).toMatchObject({ exitCode: 0 });
    await linkPackages(project.folder, [...Object.keys(manifest.dependencies), ...OF_A_WORKER]);
  }, TIMEOUT_MS);

  afterAll(() => project?.remove());

  it('contains only the build, its sources and its docs', () => {
    const needed = ['LICENSE', 'README.md', 'dist/index.d.ts', 'dist/workflows/workflow-bundle.js'];
    expect(needed.filter((path) => !packedFiles.includes(path))).toEqual([]);
    const strangers = packedFiles.filter((path) => !/^(dist|src|docs)\/|^[A-Z]+(\.md)?$|^package\.json$/.test(path));
    expect(strangers).toEqual([]);
  });

  it('loads as one copy when it is imported by ES modules and required by CommonJS', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const names = await runFile(
      'both.cjs',
      `(async () => {
        const same = {};
        for (const entry of ['', '/workflow', '/client', '/management']) {
          const required = require('workspace-providers' + entry);
          const imported = await import('workspace-providers' + entry);
          same[entry] = Object.keys(required).filter((name) => imported[name] === required[name]);
          if (same[entry].length !== Object.keys(required).length) throw new Error('two copies of ' + entry);
        }
        console.log(JSON.stringify(same));
      })();`,
    );
    expect(names).toMatchObject({
      '': expect.arrayContaining(['WorkspaceProviders', 'ProviderResolver', 'withProvider']),
      '/workflow': expect.arrayContaining(['resolveLlmKey', 'llmStep', 'rpcStep']),
    });
    const imported = await runFile(
      'module.mjs',
      `import { withProvider } from 'workspace-providers'; console.log(JSON.stringify(typeof withProvider));`,
    );
    expect(imported).toBe('function');
  });

  it.each([
    [
      'ES modules',
      'esm',
      '{ "type": "module" }',
      "export { llmStep, resolveLlmKey } from 'workspace-providers/workflow';",
    ],
    ['CommonJS', 'cjs', '{}', "module.exports = require('workspace-providers/workflow');"],
  ])(
    'can be bundled into workflows that are written as %s',
    { timeout: TIMEOUT_MS },
    async (_, folder, packageJson, workflow) => {
      await project.write(`${folder}/package.json`, packageJson);
      await project.write(`${folder}/workflows.js`, workflow);
      const bundle = await runFile(
        `${folder}/bundle.mjs`,
        `import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
       import { createRequire } from 'node:module';
       const workflowsPath = createRequire(import.meta.url).resolve('./workflows.js');
       const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') });
       console.log(JSON.stringify({ ours: /workspace-providers\\/dist\\/workflows\\/agent\\/steps\\.js/.test(code) }));`,
      );
      expect(bundle).toEqual({ ours: true });
    },
  );

  it('has types for ES modules and CommonJS under strict NodeNext', { timeout: TIMEOUT_MS }, async () => {
    const source = `
      import { WorkspaceProviders } from 'workspace-providers';
      import { resolveLlmKey } from 'workspace-providers/workflow';
      export const plugin = async () => (await WorkspaceProviders.connect()).plugin();
      export const provider: Promise<{ name: string }> = resolveLlmKey({ workspaceId: 'ws_acme', provider: 'anthropic' });
      // @ts-expect-error without types, everything would be allowed
      export const wrong: Promise<number> = resolveLlmKey({ workspaceId: 1 });
    `;
    const compilerOptions = { module: 'NodeNext', target: 'ES2022', strict: true, skipLibCheck: true, noEmit: true };
    await project.write('typed/package.json', '{ "type": "module" }');
    await project.write('typed/module.mts', source);
    await project.write('typed/common.cts', source);
    const typeRoots = [join(REPOSITORY, 'node_modules/@types')];
    const tsconfig = {
      compilerOptions: { ...compilerOptions, types: ['node'], typeRoots },
      files: ['module.mts', 'common.cts'],
    };
    await project.write('typed/tsconfig.json', JSON.stringify(tsconfig));
    expect(await runTool(project.folder, 'typescript/bin/tsc', ['-p', 'typed'])).toMatchObject({
      exitCode: 0,
      stdout: '',
    });
  });

  it('has a command that runs', { timeout: TIMEOUT_MS }, async () => {
    const command = join(project.folder, 'node_modules/workspace-providers/dist/cli/main.js');
    expect(await readFile(command, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
    const { exitCode, stdout } = await run(project.folder, process.execPath, [command, '--version']);
    expect({ exitCode, stdout: stdout.trim() }).toEqual({ exitCode: 0, stdout: manifest.version });
  });
});
