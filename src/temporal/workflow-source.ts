/**
 * Where this package's workflows are: the one place that knows. Built, they are a bundle made ahead, so that a worker
 * starts without webpack; under test, the TypeScript sources.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';

/** Written by `build-workflow-bundle.ts`, beside the compiled workflows. */
export const WORKFLOW_BUNDLE_PATH = fileURLToPath(new URL('../workflows/workflow-bundle.js', import.meta.url));

/** The same, with the failure converter that encodes messages. */
export const ENCODING_WORKFLOW_BUNDLE_PATH = WORKFLOW_BUNDLE_PATH.replace(/bundle\.js$/, 'bundle-encoding.js');

/** The module that exports the workflows: `.ts` in the sources, `.js` when built. */
export const WORKFLOWS_PATH = fileURLToPath(
  new URL(`../workflows/index${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
);

/** The module that carries grants along, for the bundle of a worker's workflows. */
export const GRANT_INTERCEPTORS_PATH = fileURLToPath(
  new URL(`../workflows/grant-interceptors${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
);

/**
 * For a worker's options: `workflowBundle` where one was built, else `workflowsPath`.
 *
 * @param dataConverter - the worker's: a bundle has its failure converter in it
 */
export function workflowSource(
  dataConverter?: DataConverter,
): { workflowBundle: { codePath: string } } | { workflowsPath: string } {
  const codePath = dataConverter?.failureConverterPath ? ENCODING_WORKFLOW_BUNDLE_PATH : WORKFLOW_BUNDLE_PATH;
  return existsSync(codePath) ? { workflowBundle: { codePath } } : { workflowsPath: WORKFLOWS_PATH };
}

/** For its interceptors: a bundle that was built has them in it. */
export const WORKFLOW_MODULES = existsSync(WORKFLOW_BUNDLE_PATH) ? [] : [GRANT_INTERCEPTORS_PATH];
