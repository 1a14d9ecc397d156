/** A project that has the package as it is published: packed, and unpacked into `node_modules`. Needs a build. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { createScratchProject, linkPackages, REPOSITORY, run, type ScratchProject } from './scratch-project.js';

export const TIMEOUT_MS = 120_000;

interface Manifest {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

export interface PackedPackage {
  readonly project: ScratchProject;
  /** The path of the tarball. */
  readonly tarball: string;
  readonly files: readonly string[];
  readonly version: string;
}

/** What a project with a worker has. It has no AI SDK and no viem, which only some steps load. */
const OF_A_WORKER = ['activity', 'client', 'common', 'worker', 'workflow'].map((name) => `@temporalio/${name}`);

/** Packs the package before the tests of a file, for a project with only the packages that a worker's project has. */
export function usePackedPackage(): { readonly current: PackedPackage } {
  let current: PackedPackage | undefined;
  beforeAll(async () => {
    current = await packPackage();
  }, TIMEOUT_MS);
  afterAll(() => current?.project.remove());
  return {
    get current() {
      if (!current) throw new Error('the package is not packed yet');
      return current;
    },
  };
}

async function packPackage(): Promise<PackedPackage> {
  if (!existsSync(join(REPOSITORY, 'dist/index.js'))) throw new Error('dist/ is missing: run `npm run build` first');
  const manifest = JSON.parse(await readFile(join(REPOSITORY, 'package.json'), 'utf8')) as Manifest;
  const project = await createScratchProject();
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', project.folder];
  const [packed] = JSON.parse((await run(REPOSITORY, 'npm', pack)).stdout) as [
    { filename: string; files: readonly { path: string }[] },
  ];
  const installed = 'node_modules/workspace-providers';
  await project.write(`${installed}/.unpacking`, '');
  const unpack = ['-xzf', packed.filename, '--strip-components=1', '-C', installed];
  expect(await run(project.folder, 'tar', unpack)).toMatchObject({ exitCode: 0 });
  await linkPackages(project.folder, [...Object.keys(manifest.dependencies), ...OF_A_WORKER]);
  return {
    project,
    tarball: join(project.folder, packed.filename),
    files: packed.files.map(({ path }) => path),
    version: manifest.version,
  };
}
