import { writeFile } from 'node:fs/promises';
import { bundleWorkflowCode } from '@temporalio/worker';
import { WorkspaceProviders } from 'workspace-providers';

async function build() {
  const plugins = [WorkspaceProviders.workflowPlugin()];
  const { code } = await bundleWorkflowCode({ workflowsPath: require.resolve('./workflows'), plugins });
  await writeFile(process.env.BUNDLE ?? '', code);
}

void build();
