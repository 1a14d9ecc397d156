/** The published package in the tools that its users have: TypeScript's module settings, Jest, publint and attw. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { TIMEOUT_MS, usePackedPackage } from './packed-package.js';
import { linkPackages, REPOSITORY, runTool } from './scratch-project.js';

const packed = usePackedPackage();

const SOURCE = `
import { Client } from '@temporalio/client';
import { WorkspaceProviders } from 'workspace-providers';
import { GrantSigner, WorkspaceGrants } from 'workspace-providers/client';
import { ProviderClient } from 'workspace-providers/management';
import { resolveLlmKey } from 'workspace-providers/workflow';
export const plugin = async () => (await WorkspaceProviders.connect()).plugin();
export const grants = (client: Client) => new WorkspaceGrants(client, new GrantSigner('key'));
export const manager = (): Promise<ProviderClient> => ProviderClient.connect();
export const provider: Promise<{ name: string }> = resolveLlmKey({ workspaceId: 'ws_acme', provider: 'anthropic' });
// @ts-expect-error without types, everything would be allowed
export const wrong: Promise<number> = resolveLlmKey({ workspaceId: 1 });
`;

/** Module, module resolution, and the type of the user's package. */
const SETTINGS = [
  ['node16', 'node16', 'commonjs'],
  ['node20', 'node16', 'commonjs'],
  ['nodenext', 'nodenext', 'module'],
  ['esnext', 'bundler', 'module'],
  ['commonjs', 'node10', 'commonjs'],
] as const;

it.each(SETTINGS)(
  'has types under module %s with resolution %s, in a package of type %s',
  { timeout: TIMEOUT_MS },
  async (module, moduleResolution, type) => {
    const { project } = packed.current;
    const folder = ['typed', module, moduleResolution, type].join('-');
    await project.write(`${folder}/package.json`, JSON.stringify({ type }));
    await project.write(`${folder}/index.ts`, SOURCE);
    const compilerOptions = {
      ...{ module, moduleResolution, target: 'ES2022', strict: true, skipLibCheck: true, noEmit: true },
      ...{ esModuleInterop: true, types: ['node'], typeRoots: [join(REPOSITORY, 'node_modules/@types')] },
      ...(moduleResolution === 'node10' && { ignoreDeprecations: '6.0' }),
    };
    await project.write(`${folder}/tsconfig.json`, JSON.stringify({ compilerOptions, files: ['index.ts'] }));
    const ran = await runTool(project.folder, 'typescript/bin/tsc', ['-p', folder]);
    expect(ran).toMatchObject({ exitCode: 0, stdout: '' });
  },
);

it('has types that need no other package, in a project that checks the types of its packages', {
  timeout: TIMEOUT_MS,
}, async () => {
  const { project } = packed.current;
  await project.write('checked/package.json', '{}');
  await project.write('checked/index.ts', SOURCE);
  // Type roots would also find the types of `pg`, which this project does not have.
  await linkPackages(join(project.folder, 'checked'), ['@types/node']);
  const compilerOptions = { module: 'nodenext', target: 'ES2022', strict: true, skipLibCheck: false, noEmit: true };
  const config = { compilerOptions: { ...compilerOptions, types: ['node'] }, files: ['index.ts'] };
  await project.write('checked/tsconfig.json', JSON.stringify(config));
  const { stdout } = await runTool(project.folder, 'typescript/bin/tsc', ['-p', 'checked']);
  // Temporal's SDK has errors of its own under this setting.
  const errors = stdout.split('\n').filter((line) => /error TS/.test(line) && !line.includes('@temporalio/'));
  expect(errors).toEqual([]);
});

it('loads in Jest, without a transform and without a flag, and signs there', { timeout: TIMEOUT_MS }, async () => {
  const { project } = packed.current;
  await project.write('jest/package.json', '{}');
  await project.write(
    'jest/entries.test.js',
    `const { Client } = require('@temporalio/client');
     const { generateKeyPairSync } = require('node:crypto');
     const { WorkspaceProviders, withProvider } = require('workspace-providers');
     const { GrantSigner } = require('workspace-providers/client');
     const { ProviderClient } = require('workspace-providers/management');
     const { llmStep } = require('workspace-providers/workflow');

     test('every entry loads', () => {
       for (const each of [Client, WorkspaceProviders, withProvider, ProviderClient, llmStep])
         expect(typeof each).toBe('function');
     });

     test('a grant is signed', async () => {
       const { privateKey } = generateKeyPairSync('ed25519');
       const key = { ...privateKey.export({ format: 'jwk' }), kid: 'test', alg: 'EdDSA', use: 'sig' };
       const signer = new GrantSigner(JSON.stringify(key));
       const grant = { subject: 'ws_acme', namespace: 'default', workflowIds: ['agent-1'] };
       expect(await signer.sign('workspace', grant)).toMatch(/^[\\w-]+\\.[\\w-]+\\.[\\w-]+$/);
     });`,
  );
  const ran = await runTool(join(project.folder, 'jest'), 'jest/bin/jest.js', ['--colors=false']);
  expect(ran, ran.stderr).toMatchObject({ exitCode: 0 });
  expect(ran.stderr).toContain('2 passed');
});

it('has no finding of publint', { timeout: TIMEOUT_MS }, async () => {
  const ran = await runTool(packed.current.project.folder, 'publint/src/cli.js', [
    'run',
    packed.current.tarball,
    '--strict',
  ]);
  expect(ran, ran.stdout + ran.stderr).toMatchObject({ exitCode: 0 });
});

it('has no finding of Are the types wrong?', { timeout: TIMEOUT_MS }, async () => {
  const ran = await runTool(packed.current.project.folder, '@arethetypeswrong/cli/dist/index.js', [
    packed.current.tarball,
  ]);
  expect(ran, ran.stdout + ran.stderr).toMatchObject({ exitCode: 0 });
});
