/** The metrics of a process that keeps a lease, read when somebody collects them: a warm read counts, and reports nothing. */
import type { Lease } from '../fence/lease.js';
import type { LeaseKeeper } from '../fence/lease-keeper.js';
import type { Reading } from '../telemetry/metrics-table.js';
import type { OpenScopes } from './open-scopes.js';
import type { UseAudit } from './use-audit.js';
import type { WorkspaceCache } from './workspace-cache.js';

interface ReadParts {
  readonly cache: WorkspaceCache;
  readonly keeper: LeaseKeeper;
  readonly lease: Lease;
  readonly audit: UseAudit;
  readonly scopes: OpenScopes;
  readonly keySetAgeMs: number | undefined;
}

export function readMetrics({ cache, keeper, lease, audit, scopes, keySetAgeMs }: ReadParts): readonly Reading[] {
  const { hit, miss, joined, reloaded, refusedByLease, load } = cache.counts;
  const { renewals, failures, losses } = keeper.counts;
  const reads = { hit, miss, joined, reloaded, 'refused-by-lease': refusedByLease };
  const outdated = scopes.outdated();
  return [
    ...byOutcome('workspace_providers.cache.reads', reads),
    { name: 'workspace_providers.cache.loads', value: load },
    { name: 'workspace_providers.cache.workspaces', value: cache.workspaces },
    { name: 'workspace_providers.lease.held', value: lease.isHeld() ? 1 : 0 },
    { name: 'workspace_providers.lease.epoch', value: lease.appliedEpoch },
    ...byOutcome('workspace_providers.lease.renewals', { renewed: renewals, failed: failures, lost: losses }),
    { name: 'workspace_providers.audit.uses_lost', value: audit.usesLost },
    ...(keySetAgeMs === undefined
      ? []
      : [{ name: 'workspace_providers.grants.key_set.age' as const, value: keySetAgeMs / 1_000 }]),
    // With too many to report, their number is not known.
    ...(outdated === 'too-many'
      ? []
      : [
          {
            name: 'workspace_providers.steps.outdated' as const,
            value: outdated.reduce((sum, { count }) => sum + count, 0),
          },
        ]),
  ];
}

function byOutcome(name: Reading['name'], counts: Readonly<Record<string, number>>): Reading[] {
  return Object.entries(counts).map(([outcome, value]) => ({ name, value, attributes: { outcome } }));
}
