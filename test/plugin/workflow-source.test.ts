import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { WORKFLOW_BUNDLE_PATH, WORKFLOWS_PATH, workflowSource } from '../../src/plugin/workflow-source.js';

const BUILT = new URL('../../dist/plugin/workflow-source.js', import.meta.url);

test('in tests the workflows are the TypeScript sources', () => {
  expect(WORKFLOWS_PATH).toMatch(/src\/workflows\/index\.ts$/);
  expect(existsSync(WORKFLOWS_PATH)).toBe(true);
  expect(existsSync(WORKFLOW_BUNDLE_PATH)).toBe(false);
  expect(workflowSource()).toEqual({ workflowsPath: WORKFLOWS_PATH });
});

test('in a build the workflows are the prebuilt bundle', async () => {
  const built: typeof import('../../src/plugin/workflow-source.js') = await import(pathToFileURL(BUILT.pathname).href);
  expect(built.WORKFLOWS_PATH).toMatch(/dist\/workflows\/index\.js$/);
  expect(built.workflowSource()).toEqual({ workflowBundle: { codePath: built.WORKFLOW_BUNDLE_PATH } });
  expect(existsSync(built.WORKFLOW_BUNDLE_PATH)).toBe(true);
});
