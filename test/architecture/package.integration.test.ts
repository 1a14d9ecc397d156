/**
 * The package as it is published: packed, unpacked into another project and used from there under plain Node, by ES
 * modules and by CommonJS. That project has only the packages that our package declares.
 * Needs a build (`npm test` makes one). This tests the decision docs/adr/0001-module-format.md.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TIMEOUT_MS, usePackedPackage } from './packed-package.js';
import { REPOSITORY, run } from './scratch-project.js';

describe('the published package', () => {
  const packed = usePackedPackage();

  /** Runs a file of that project and returns the JSON that it prints. */
  async function runFile(path: string, code: string): Promise<unknown> {
    const { project } = packed.current;
    await project.write(path, code);
    const { exitCode, stdout, stderr } = await run(project.folder, process.execPath, [path]);
    expect(exitCode, stderr).toBe(0);
    return JSON.parse(stdout);
  }

  it('contains only the build, its sources and its docs', () => {
    const needed = ['LICENSE', 'README.md', 'dist/index.d.ts', 'dist/workflows/workflow-bundle.js'];
    const { files } = packed.current;
    expect(needed.filter((path) => !files.includes(path))).toEqual([]);
    const strangers = files.filter(
      (path) => !/^(dist|src|docs|examples)\/|^[A-Z]+(\.md)?$|^package\.json$|^\.env\.example$/.test(path),
    );
    expect(strangers).toEqual([]);
  });

  it('contains every page and file that its README links to', async () => {
    const readme = await readFile(
      join(packed.current.project.folder, 'node_modules/workspace-providers/README.md'),
      'utf8',
    );
    const links = Array.from(readme.matchAll(/\]\((?!https?:)([^)#\s]+)/g), ([, link = '']) => link);
    expect(links.length).toBeGreaterThan(5);
    const missing = links.filter((link) => !packed.current.files.some((file) => file.startsWith(link)));
    expect(missing).toEqual([]);
  });

  it('names no path of the machine that built it', async () => {
    const installed = join(packed.current.project.folder, 'node_modules/workspace-providers');
    const naming: string[] = [];
    for (const file of packed.current.files) {
      const text = await readFile(join(installed, file), 'latin1');
      const maps = Array.from(text.matchAll(/sourceMappingURL=data:[^,]*base64,([\w+/=]+)/g), ([, map = '']) =>
        Buffer.from(map, 'base64').toString('latin1'),
      );
      if ([text, ...maps].some((each) => each.includes(REPOSITORY))) naming.push(file);
    }
    expect(naming).toEqual([]);
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
      const { project } = packed.current;
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

  it('has a command that runs', { timeout: TIMEOUT_MS }, async () => {
    const { project, version } = packed.current;
    const command = join(project.folder, 'node_modules/workspace-providers/dist/cli/main.js');
    expect(await readFile(command, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
    const { exitCode, stdout } = await run(project.folder, process.execPath, [command, '--version']);
    expect({ exitCode, stdout: stdout.trim() }).toEqual({ exitCode: 0, stdout: version });
  });
});
