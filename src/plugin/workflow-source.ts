/**
 * Where this package's workflows are: the one place that knows. Built, they are a bundle made ahead, so that a worker
 * starts without webpack; under test, the TypeScript sources.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import type { WorkerOptions } from '@temporalio/worker';

/** Written by `build-workflow-bundle.ts`, beside the compiled workflows. */
export const WORKFLOW_BUNDLE_PATH = fileURLToPath(new URL('../workflows/workflow-bundle.js', import.meta.url));

/** The same, with the failure converter that encodes messages. */
export const ENCODING_WORKFLOW_BUNDLE_PATH = WORKFLOW_BUNDLE_PATH.replace(/bundle\.js$/, 'bundle-encoding.js');

/** `.ts` in the sources, `.js` when built. */
const moduleOf = (name: string) =>
  fileURLToPath(new URL(`../workflows/${name}${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url));

/** The module that exports the workflows. */
export const WORKFLOWS_PATH = moduleOf('index');

/** The module that carries grants along, for the bundle of a worker's workflows. */
export const GRANT_INTERCEPTORS_PATH = moduleOf('grant-interceptors');

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

/**
 * For a worker's `interceptors.workflowModules`: its own, behind the one that carries grants, so that they see the ids
 * that children get, and may run activities of ours. A bundle that was made ahead has that one in it, or has it not: the
 * worker can add nothing to it.
 */
export function workflowModules(
  source: Pick<WorkerOptions, 'workflowBundle' | 'workflowsPath'>,
  own: readonly string[] = [],
): string[] {
  return source.workflowBundle ? [...own] : [GRANT_INTERCEPTORS_PATH, ...own];
}
