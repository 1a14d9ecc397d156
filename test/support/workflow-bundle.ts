/** Bundles workflows in advance, so that a killed worker restarts quickly. */
import { writeFile } from 'node:fs/promises';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { WorkflowPlugin } from '../../src/plugin/workflow-plugin.js';

/** @returns the path of the bundle */
export async function writeWorkflowBundle(workflowsPath: string, path: string): Promise<string> {
  const logger = new DefaultLogger('ERROR');
  const { code } = await bundleWorkflowCode({ workflowsPath, plugins: [new WorkflowPlugin()], logger });
  await writeFile(path, code);
  return path;
}
