/** The activities of schedules: they list a page of providers of all workspaces, then handle one provider at a time. */
import { Context } from '@temporalio/activity';
import { type AbandonedParts, endAbandoned, endAllAbandoned } from '../management/abandoned-rotations.js';
import { prepareDueRotation } from '../management/due-rotation.js';
import type { ProviderCheckReport } from '../management/provider-check.js';
import type { ProviderIdentity } from '../protocol/references.js';
import type {
  AbandonedRotations,
  DueRotation,
  ListedProvider,
  PreparedRotation,
  RaisedEvent,
  StoredCredentialCheck,
} from '../protocol/schedules.js';
import type { ProviderTypes } from '../providers/provider-types.js';
import { rotationRuns } from '../sdk/rotation-runs.js';
import type { ManagementStore } from '../store/management-store.js';
import { dueRotation, pageInput, providerInput } from './operation-inputs.js';
import { activity, runWithHeartbeat } from './run-activity.js';

export interface ScheduleDependencies {
  readonly store: ManagementStore;
  readonly types: ProviderTypes;
  readonly rotations: AbandonedParts['rotations'];
  /** Asks the live service about the stored credential, and records the answer. */
  readonly checkProvider: (provider: ProviderIdentity) => Promise<ProviderCheckReport>;
}

export function createScheduleActivities({ store, types, rotations, checkProvider }: ScheduleDependencies) {
  const parts = (): AbandonedParts => ({ store, rotations, runs: rotationRuns(Context.current().client) });
  return {
    /** Ends the rotations whose workflows are gone, over all workspaces. */
    endAbandonedRotations: (): Promise<AbandonedRotations> =>
      runWithHeartbeat(async (signal) => ({ abandoned: await endAllAbandoned(parts(), signal) })),

    listDueRotations: activity(
      'listDueRotations',
      pageInput,
      (page): Promise<readonly (DueRotation & ListedProvider)[]> => store.listDueRotations(page),
    ),

    prepareDueRotation: activity(
      'prepareDueRotation',
      dueRotation,
      ({ provider }): Promise<PreparedRotation> =>
        prepareDueRotation(provider, store, types, (due) => endAbandoned(due, parts())),
    ),

    raiseOverdue: activity(
      'raiseOverdue',
      dueRotation,
      async (due): Promise<RaisedEvent> => ({
        raised: await store.raiseEventOnce(due, 'rotation-overdue', 'rotateDueProviders'),
      }),
    ),

    listActiveProviders: activity(
      'listActiveProviders',
      pageInput,
      (page): Promise<readonly ListedProvider[]> => store.listActiveProviders(page),
    ),

    /** Raises an event if the service rejects the credential, once per version. */
    checkStoredCredential: activity(
      'checkStoredCredential',
      providerInput,
      async ({ provider }): Promise<StoredCredentialCheck> => {
        const { outcome, version } = await checkProvider(provider);
        const raised =
          outcome === 'rejected' &&
          (await store.raiseEventOnce({ provider, version }, 'credential-rejected', 'checkProviders'));
        return { outcome, raised };
      },
    ),
  };
}
