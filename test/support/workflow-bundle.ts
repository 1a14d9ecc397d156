/** Workflows bundled ahead, so that a worker which is killed is back soon. */
import { writeFile } from 'node:fs/promises';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { GRANT_INTERCEPTORS_PATH } from '../../src/plugin/workflow-source.js';

/** @returns the path */
export async function writeWorkflowBundle(workflowsPath: string, path: string): Promise<string> {
  const workflowInterceptorModules = [GRANT_INTERCEPTORS_PATH];
  const logger = new DefaultLogger('ERROR');
  const { code } = await bundleWorkflowCode({ workflowsPath, workflowInterceptorModules, logger });
  await writeFile(path, code);
  return path;
}
