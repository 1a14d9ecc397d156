/** The tests mirror the sources, so that the tests of a file are easy to find, and the source of a test too. */
import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { REPOSITORY } from './scratch-project.js';

/** The folders of tests that cover more than one room of the sources. */
const SCENARIOS = ['architecture', 'door', 'e2e', 'faults', 'integration', 'leaks', 'replay'];

const filesIn = (folder: string) =>
  readdirSync(join(REPOSITORY, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(REPOSITORY.length));

/** `0003_versions_and_epoch.sql` is the unit `versions-and-epoch`. */
const unitOf = (file: string) =>
  join(
    dirname(file),
    basename(file)
      .replace(/\.\w+$/, '')
      .replace(/^\d+_/, '')
      .replaceAll('_', '-'),
  );

const units = [...filesIn('src'), ...filesIn('testbed').map((file) => join('src', file))].map(unitOf);

/** Tests of `x.ts` are in `x.test.ts`, or by their subject in `x-subject.test.ts`. */
function hasUnit(testFile: string): boolean {
  const tested = join('src', testFile.slice('test/'.length)).replace(/(\.(integration|long))?\.test\.ts$/, '');
  return units.some((unit) => tested === unit || tested.startsWith(`${unit}-`));
}

const testFiles = filesIn('test').filter((file) => file.endsWith('.test.ts'));

it('each test file has the folder and the name of the source that it tests', () => {
  const mirrored = testFiles.filter((file) => !SCENARIOS.includes(file.split('/')[1] ?? ''));
  expect(mirrored.length).toBeGreaterThan(50);
  expect(mirrored.filter((file) => !hasUnit(file))).toEqual([]);
});

it('the check finds test files without a source', () => {
  const known = ['test/fence/lease.test.ts', 'test/fence/lease-subject.long.test.ts', 'test/testbed/pgbouncer.test.ts'];
  const unknown = ['test/fence/leases.test.ts', 'test/lease.test.ts', 'test/store/lease.integration.test.ts'];
  expect([...known, ...unknown].filter((file) => !hasUnit(file))).toEqual(unknown);
});
