/**
 * Where this package's workflows are; no other file knows. In a build they are a bundle that was made in advance, so
 * that a worker starts without webpack. Under test they are the TypeScript sources.
 */
import { existsSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { DataConverter } from '@temporalio/common';

/** The bundle that `scripts/build.mjs` writes beside the compiled workflows. */
export const WORKFLOW_BUNDLE_PATH = join(__dirname, '../workflows/workflow-bundle.js');

/** The same bundle, with the failure converter that encodes messages. */
const ENCODING_WORKFLOW_BUNDLE_PATH = WORKFLOW_BUNDLE_PATH.replace(/bundle\.js$/, 'bundle-encoding.js');

/** `.ts` in the sources, `.js` when built. */
const moduleOf = (name: string) => join(__dirname, '../workflows', `${name}${extname(__filename)}`);

/** The module that exports the workflows. */
export const WORKFLOWS_PATH = moduleOf('index');

/** The workflow interceptors that pass grants on. */
export const GRANT_INTERCEPTORS_PATH = moduleOf('grant-interceptors');

/**
 * Returns worker options: `workflowBundle` if one was built, otherwise `workflowsPath`.
 *
 * @param dataConverter - the worker's data converter: a bundle contains the failure converter
 */
export function workflowSource(
  dataConverter?: DataConverter,
): { workflowBundle: { codePath: string } } | { workflowsPath: string } {
  const codePath = dataConverter?.failureConverterPath ? ENCODING_WORKFLOW_BUNDLE_PATH : WORKFLOW_BUNDLE_PATH;
  return existsSync(codePath) ? { workflowBundle: { codePath } } : { workflowsPath: WORKFLOWS_PATH };
}
