/** Prepares the rotation of a provider that is due, for a schedule: nobody is there to give the next credential. */
import { randomUUID } from 'node:crypto';
import { type Duration, formatDuration, parseDuration } from '../config/duration.js';
import { ProviderError } from '../protocol/errors.js';
import type { ProviderIdentity } from '../protocol/references.js';
import type { PreparedRotation } from '../protocol/schedules.js';
import type { ProviderTypes } from '../providers/provider-types.js';
import type { ManagementStore } from '../store/management-store.js';

const SHORTEST_INTERVAL_MS = 60_000;

/**
 * Takes the rotation that was staged in advance. Otherwise stages one, if the service can create the key.
 *
 * @throws ProviderError `RotationFailed` if a workflow that is not a rotation has the rotation's id
 */
export async function prepareDueRotation(
  provider: ProviderIdentity,
  store: Pick<ManagementStore, 'readWorkspace' | 'stageDueRotation'>,
  types: ProviderTypes,
  endAbandonedRotation: (provider: ProviderIdentity) => Promise<{ readonly running: boolean }>,
): Promise<PreparedRotation> {
  if ((await endAbandonedRotation(provider)).running) return { outcome: 'passed' };
  const canBeIssued = await canIssue(provider, store, types);
  const requestedBy = 'rotateDueProviders';
  return store.stageDueRotation({ rotationId: randomUUID(), provider, canBeIssued, requestedBy });
}

/** Whether the service has an API that creates keys, and the workspace an active admin credential for it. */
async function canIssue(
  { workspaceId, type, name }: ProviderIdentity,
  store: Pick<ManagementStore, 'readWorkspace'>,
  types: ProviderTypes,
): Promise<boolean> {
  const keys = types.keyIssuerOf(type, name);
  if (!keys?.issue) return false;
  const { providers } = await store.readWorkspace(workspaceId);
  return providers.some((each) => each.type === keys.adminType && each.name === name && each.status === 'active');
}

/** @throws ProviderError `ProviderConfigInvalid` if the interval is not a duration, or is too short */
export function checkInterval(interval: Duration): Duration {
  const ms = parseDuration(interval);
  if (ms !== undefined && ms >= SHORTEST_INTERVAL_MS) return interval;
  const shortest = formatDuration(SHORTEST_INTERVAL_MS);
  throw ProviderError.configInvalid('rotateEvery', `must be a duration such as 12h or 90d, at least ${shortest}`);
}
