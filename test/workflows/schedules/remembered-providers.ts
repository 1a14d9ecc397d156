/**
 * Providers in memory that use the workflow's clock, so that months can pass. What the store's functions do to rows is
 * tested on Postgres (schedule-store.integration.test.ts).
 */
import { Context } from '@temporalio/activity';
import type { OperationActivities } from '../../../src/activities/rotation-activities.js';
import type { ProviderIdentity } from '../../../src/protocol/references.js';

const DAY_MS = 86_400_000;
const ROTATE_EVERY_MS = 30 * DAY_MS;

export interface Remembered {
  readonly provider: ProviderIdentity;
  /** Whether its service can issue keys. */
  readonly canBeIssued?: boolean;
  /** The number of days after the event in which a person replaces the credential. Default: nobody does. */
  readonly personTakesDays?: number;
}

export class RememberedProviders {
  /** Rotations that were activated, and events that were raised, as `name@version`. */
  readonly rotated: string[] = [];
  readonly events: string[] = [];
  readonly #rows;
  readonly #startMs: number;

  constructor(providers: readonly Remembered[], startMs: number) {
    this.#startMs = startMs;
    this.#rows = providers.map((each) => ({
      ...each,
      version: 1,
      rotatedAtMs: startMs,
      raisedAtMs: undefined as number | undefined,
    }));
  }

  get activities() {
    const rotationIds = new Map<string, string>();
    return {
      listDueRotations: async ({ limit }) => {
        this.#replaceByHand();
        const due = this.#rows.filter(({ rotatedAtMs }) => rotatedAtMs + ROTATE_EVERY_MS <= now());
        return due.slice(0, limit).map(({ provider, version }, index) => ({ provider, version, turn: index + 1 }));
      },
      prepareDueRotation: async ({ provider }) => {
        if (!this.#row(provider.name).canBeIssued) return { outcome: 'needs-person' };
        const rotationId = `rotation-${rotationIds.size}`;
        rotationIds.set(rotationId, provider.name);
        return { outcome: 'staged', rotationId };
      },
      raiseOverdue: async ({ provider: { name }, version }) => {
        const event = `${name}@${version}`;
        const raised = !this.events.includes(event);
        if (raised) {
          this.events.push(event);
          this.#row(name).raisedAtMs = now();
        }
        return { raised };
      },
      activateNextCredential: async ({ rotationId }) => {
        const row = this.#row(rotationIds.get(rotationId));
        this.#replace(row);
        this.rotated.push(`${row.provider.name}@${row.version} on day ${this.#day()}`);
        return { version: row.version };
      },
    } satisfies Partial<OperationActivities>;
  }

  #replaceByHand(): void {
    for (const row of this.#rows) {
      const { raisedAtMs, personTakesDays } = row;
      if (raisedAtMs === undefined || personTakesDays === undefined) continue;
      if (raisedAtMs + personTakesDays * DAY_MS <= now()) this.#replace(row);
    }
  }

  #replace(row: { version: number; rotatedAtMs: number; raisedAtMs: number | undefined }): void {
    Object.assign(row, { version: row.version + 1, rotatedAtMs: now(), raisedAtMs: undefined });
  }

  #row(name: string | undefined) {
    const row = this.#rows.find(({ provider }) => provider.name === name);
    if (!row) throw new Error(`there is no provider named ${name}`);
    return row;
  }

  #day(): number {
    return Math.round((now() - this.#startMs) / DAY_MS);
  }
}

/** The time at which the workflow scheduled the activity, by the server's skipping clock. */
const now = (): number => Context.current().info.currentAttemptScheduledTimestampMs;
