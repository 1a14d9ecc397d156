/** Bundles workflows in advance, so that a killed worker restarts quickly. */
import { writeFile } from 'node:fs/promises';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { GRANT_INTERCEPTORS_PATH } from '../../src/plugin/workflow-source.js';

/** @returns the path of the bundle */
export async function writeWorkflowBundle(workflowsPath: string, path: string): Promise<string> {
  const workflowInterceptorModules = [GRANT_INTERCEPTORS_PATH];
  const logger = new DefaultLogger('ERROR');
  const { code } = await bundleWorkflowCode({ workflowsPath, workflowInterceptorModules, logger });
  await writeFile(path, code);
  return path;
}
