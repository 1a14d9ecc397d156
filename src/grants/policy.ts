/** Whether a worker requires grants from workflows. */
import type { GrantVerifier } from './grant-verifier.js';

/** Switches grants off. The value names what is given up, so that the person who sets it has read it. */
export const NO_GRANTS = 'every-workflow-may-use-every-workspace';

export type GrantPolicy = GrantVerifier | typeof NO_GRANTS;

/** Called at each start without grants. */
export function warnOfNoGrants(): void {
  const warning = 'PROVIDER_GRANTS switches grants off: any workflow can use the credentials of any workspace';
  process.emitWarning(warning, 'WorkspaceProvidersWarning');
}
