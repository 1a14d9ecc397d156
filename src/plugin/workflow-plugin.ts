/**
 * The part of the plugin that concerns workflow code: it adds the workflow interceptors to every bundle that is made
 * with it, and refuses a prebuilt bundle that lacks them. It needs no connection and no setting.
 */
import { readFileSync } from 'node:fs';
import { SimplePlugin, type SimplePluginOptions } from '@temporalio/plugin';
import type { BundleOptions, ReplayWorkerOptions, WorkerOptions } from '@temporalio/worker';
import { ProviderError } from '../protocol/errors.js';
import { WORKFLOW_ID_HEADER } from '../protocol/granted-workflow-id.js';
import { GRANT_INTERCEPTORS_PATH } from './workflow-source.js';

export class WorkflowPlugin extends SimplePlugin {
  constructor(options: Omit<SimplePluginOptions, 'name'> = {}) {
    super({ ...options, name: 'workspace-providers.WorkspaceProviders' });
  }

  /**
   * Workers and replays that bundle the workflows themselves call this too, once per plugin in their list. The module is
   * the first, so that the others see the ids of child workflows and may run this package's activities.
   */
  override configureBundler(options: BundleOptions): BundleOptions {
    const configured = super.configureBundler(options);
    const others = (configured.workflowInterceptorModules ?? []).filter((path) => path !== GRANT_INTERCEPTORS_PATH);
    return { ...configured, workflowInterceptorModules: [GRANT_INTERCEPTORS_PATH, ...others] };
  }

  override configureWorker(options: WorkerOptions): WorkerOptions {
    checkBundle(options);
    return super.configureWorker(options);
  }

  override configureReplayWorker(options: ReplayWorkerOptions): ReplayWorkerOptions {
    checkBundle(options);
    return super.configureReplayWorker(options);
  }
}

/** @throws ProviderError `SetupInvalid` if a prebuilt bundle lacks the interceptors: all its workflows would fail */
export function checkBundle({ workflowBundle }: Pick<WorkerOptions, 'workflowBundle'>): void {
  if (!workflowBundle || codeOf(workflowBundle)?.includes(WORKFLOW_ID_HEADER) !== false) return;
  throw ProviderError.setupInvalid(
    'workflowBundle',
    'was made without the plugin, so its workflows would not pass their grants on: ' +
      'make it with bundleWorkflowCode({ plugins: [WorkspaceProviders.workflowPlugin()] })',
  );
}

/** Returns `undefined` if there is no code to read: the SDK reports that. */
function codeOf(bundle: NonNullable<WorkerOptions['workflowBundle']>): string | undefined {
  if ('code' in bundle) return bundle.code;
  try {
    return readFileSync(bundle.codePath, 'utf8');
  } catch {
    return undefined;
  }
}
