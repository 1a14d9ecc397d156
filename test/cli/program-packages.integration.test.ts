/** Managing providers needs no Temporal packages. Without them, other commands name the package that is missing. */
import { cp } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  createScratchProject,
  linkPackages,
  REPOSITORY,
  type ScratchProject,
} from '../architecture/scratch-project.js';
import { documentOf, operator } from './operator.js';
import { run } from './run-cli.js';

const op = operator();
let project: ScratchProject;

beforeAll(async () => {
  const { dependencies } = createRequire(import.meta.url)('../../package.json') as { dependencies: object };
  project = await createScratchProject(['package.json']);
  await cp(join(REPOSITORY, 'dist'), join(project.folder, 'dist'), { recursive: true });
  await cp(join(REPOSITORY, 'src/store/schema'), join(project.folder, 'src/store/schema'), { recursive: true });
  await linkPackages(project.folder, Object.keys(dependencies));
});

afterAll(() => project?.remove());

const runThere = (...args: string[]) =>
  run(process.execPath, [join(project.folder, 'dist/cli/main.js'), ...args, '--json'], { env: op.env });

it('list runs without the Temporal packages', async () => {
  expect(documentOf(await runThere('list', 'ws_acme'))).toEqual({ workspaceId: 'ws_acme', providers: [] });
});

it.each(['worker', 'dev'])('%s names the package that is missing', async (command) => {
  const ran = await runThere(command);
  expect(ran.exitCode).toBe(2);
  expect(documentOf(ran).error).toMatchObject({
    type: 'PackageMissing',
    message: expect.stringMatching(/^this command needs the package @temporalio\/\w+: npm install @temporalio\/\w+$/),
  });
});
