/** The tests mirror the sources: whoever changes a file finds its tests, and a file of tests says what it is about. */
import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { REPOSITORY } from './scratch-project.js';

/** What is about more than one room of the sources. */
const SCENARIOS = ['architecture', 'e2e', 'faults', 'integration', 'leaks', 'replay'];

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

it('each test file is named after the source that it tests, in the folder of the same name', () => {
  const mirrored = testFiles.filter((file) => !SCENARIOS.includes(file.split('/')[1] ?? ''));
  expect(mirrored.length).toBeGreaterThan(50);
  expect(mirrored.filter((file) => !hasUnit(file))).toEqual([]);
});

it('a test file without a source is found', () => {
  const known = ['test/fence/lease.test.ts', 'test/fence/lease-subject.long.test.ts', 'test/testbed/pgbouncer.test.ts'];
  const unknown = ['test/fence/leases.test.ts', 'test/lease.test.ts', 'test/store/lease.integration.test.ts'];
  expect([...known, ...unknown].filter((file) => !hasUnit(file))).toEqual(unknown);
});
