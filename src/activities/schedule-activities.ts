/** The activities of schedules: they list a page of providers of all workspaces, then handle one provider at a time. */
import { prepareDueRotation } from '../management/due-rotation.js';
import type { ProviderCheckReport } from '../management/provider-check.js';
import type { ProviderIdentity } from '../protocol/references.js';
import type {
  DueRotation,
  PageInput,
  PreparedRotation,
  RaisedEvent,
  StoredCredentialCheck,
} from '../protocol/schedules.js';
import type { ManagementStore } from '../store/management-store.js';
import { runWithHeartbeat } from './run-activity.js';

export interface ScheduleDependencies {
  readonly store: ManagementStore;
  /** Asks the live service about the stored credential, and records the answer. */
  readonly checkProvider: (provider: ProviderIdentity) => Promise<ProviderCheckReport>;
}

export interface ProviderInput {
  readonly provider: ProviderIdentity;
}

export function createScheduleActivities({ store, checkProvider }: ScheduleDependencies) {
  return {
    listDueRotations: (page: PageInput): Promise<readonly DueRotation[]> =>
      runWithHeartbeat(() => store.listDueRotations(page)),

    prepareDueRotation: ({ provider }: ProviderInput): Promise<PreparedRotation> =>
      runWithHeartbeat(() => prepareDueRotation(provider, store)),

    raiseOverdue: (due: DueRotation): Promise<RaisedEvent> =>
      runWithHeartbeat(async () => ({
        raised: await store.raiseEventOnce(due, 'rotation-overdue', 'rotateDueProviders'),
      })),

    listActiveProviders: (page: PageInput): Promise<readonly ProviderIdentity[]> =>
      runWithHeartbeat(() => store.listActiveProviders(page)),

    /** Raises an event if the service rejects the credential, once per version. */
    checkStoredCredential: ({ provider }: ProviderInput): Promise<StoredCredentialCheck> =>
      runWithHeartbeat(async () => {
        const { outcome, version } = await checkProvider(provider);
        const raised =
          outcome === 'rejected' &&
          (await store.raiseEventOnce({ provider, version }, 'credential-rejected', 'checkProviders'));
        return { outcome, raised };
      }),
  };
}
