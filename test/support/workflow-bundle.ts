/** Bundles workflows in advance, so that a killed worker restarts quickly. */
import { writeFile } from 'node:fs/promises';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { WorkflowPlugin } from '../../src/plugin/workflow-plugin.js';

/** @returns the path of the bundle */
export async function writeWorkflowBundle(
  workflowsPath: string,
  path: string,
  workflowInterceptorModules: string[] = [],
): Promise<string> {
  const logger = new DefaultLogger('ERROR');
  const options = { workflowsPath, workflowInterceptorModules, plugins: [new WorkflowPlugin()], logger };
  const { code } = await bundleWorkflowCode(options);
  await writeFile(path, code);
  return path;
}
