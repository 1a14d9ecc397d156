/** The ages of credentials, for metrics: they are asked for now and then, and kept for whoever collects meanwhile. */
import type { CredentialAges, ScheduleStore } from '../store/schedule-store.js';
import type { Reading } from '../telemetry/metrics-table.js';

/** Ages grow slowly, and each worker of rotations asks. */
const ASK_EVERY_MS = 60_000;

export interface WatchedAges {
  read(): readonly Reading[];
  end(): void;
}

/** Asks at once, and then every minute. What cannot be asked for is not reported. */
export function watchCredentialAges(store: Pick<ScheduleStore, 'credentialAges'>): WatchedAges {
  let ages: readonly CredentialAges[] = [];
  const ask = async () => {
    ages = await store.credentialAges().catch(() => []);
  };
  void ask();
  const timer = setInterval(() => void ask(), ASK_EVERY_MS).unref();
  return {
    end: () => clearInterval(timer),
    read: () =>
      ages.flatMap(({ type, oldestMs, overdue }) => [
        { name: 'workspace_providers.credentials.age' as const, value: oldestMs / 1_000, attributes: { type } },
        { name: 'workspace_providers.credentials.overdue' as const, value: overdue, attributes: { type } },
      ]),
  };
}
