/** The activities of schedules: they list a page of providers of all workspaces, then handle one provider at a time. */
import { prepareDueRotation } from '../management/due-rotation.js';
import type { ProviderCheckReport } from '../management/provider-check.js';
import type { ProviderIdentity } from '../protocol/references.js';
import type {
  DueRotation,
  ListedProvider,
  PreparedRotation,
  RaisedEvent,
  StoredCredentialCheck,
} from '../protocol/schedules.js';
import type { ManagementStore } from '../store/management-store.js';
import { dueRotation, pageInput, providerInput } from './operation-inputs.js';
import { activity } from './run-activity.js';

export interface ScheduleDependencies {
  readonly store: ManagementStore;
  /** Asks the live service about the stored credential, and records the answer. */
  readonly checkProvider: (provider: ProviderIdentity) => Promise<ProviderCheckReport>;
}

export function createScheduleActivities({ store, checkProvider }: ScheduleDependencies) {
  return {
    listDueRotations: activity(
      'listDueRotations',
      pageInput,
      (page): Promise<readonly (DueRotation & ListedProvider)[]> => store.listDueRotations(page),
    ),

    prepareDueRotation: activity(
      'prepareDueRotation',
      dueRotation,
      ({ provider }): Promise<PreparedRotation> => prepareDueRotation(provider, store),
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
