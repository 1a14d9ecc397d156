/** Bundles the workflows in advance, for production workers. `npm run build` runs it. */
import { writeFile } from 'node:fs/promises';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { FAILURE_CONVERTER_PATH } from '../codec/data-converter.js';
import { WorkflowPlugin } from './workflow-plugin.js';
import { ENCODING_WORKFLOW_BUNDLE_PATH, WORKFLOW_BUNDLE_PATH, WORKFLOWS_PATH } from './workflow-source.js';

const logger = new DefaultLogger('WARN');
const plugins = [new WorkflowPlugin()];
for (const [path, failureConverterPath] of [
  [WORKFLOW_BUNDLE_PATH, undefined],
  [ENCODING_WORKFLOW_BUNDLE_PATH, FAILURE_CONVERTER_PATH],
] as const) {
  const options = { workflowsPath: WORKFLOWS_PATH, plugins, failureConverterPath, logger };
  const { code } = await bundleWorkflowCode(options);
  await writeFile(path, code);
}
