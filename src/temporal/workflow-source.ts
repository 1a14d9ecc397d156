/**
 * Where this package's workflows are: the one place that knows. Built, they are a bundle made ahead, so that a worker
 * starts without webpack; under test, the TypeScript sources.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Written by `build-workflow-bundle.ts`, beside the compiled workflows. */
export const WORKFLOW_BUNDLE_PATH = fileURLToPath(new URL('../workflows/workflow-bundle.js', import.meta.url));

/** The module that exports the workflows: `.ts` in the sources, `.js` when built. */
export const WORKFLOWS_PATH = fileURLToPath(
  new URL(`../workflows/index${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
);

/** For a worker's options: `workflowBundle` where one was built, else `workflowsPath`. */
export function workflowSource(): { workflowBundle: { codePath: string } } | { workflowsPath: string } {
  return existsSync(WORKFLOW_BUNDLE_PATH)
    ? { workflowBundle: { codePath: WORKFLOW_BUNDLE_PATH } }
    : { workflowsPath: WORKFLOWS_PATH };
}
