/** What is given up where grants are switched off, as whoever does it has to write it. */
export const NO_GRANTS = 'every-workflow-may-use-every-workspace';

/** At each start. */
export function warnOfNoGrants(): void {
  const warning = 'PROVIDER_GRANTS: workflows need no grant, so any of them can use the credentials of any workspace';
  process.emitWarning(warning, 'WorkspaceProvidersWarning');
}
