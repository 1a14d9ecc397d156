/** Run by `npm run build`: bundles the workflows ahead, as production workers want them. */
import { writeFile } from 'node:fs/promises';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { FAILURE_CONVERTER_PATH } from './data-converter.js';
import { ENCODING_WORKFLOW_BUNDLE_PATH, WORKFLOW_BUNDLE_PATH, WORKFLOWS_PATH } from './workflow-source.js';

const logger = new DefaultLogger('WARN');
for (const [path, failureConverterPath] of [
  [WORKFLOW_BUNDLE_PATH, undefined],
  [ENCODING_WORKFLOW_BUNDLE_PATH, FAILURE_CONVERTER_PATH],
] as const) {
  const { code } = await bundleWorkflowCode({ workflowsPath: WORKFLOWS_PATH, failureConverterPath, logger });
  await writeFile(path, code);
}
