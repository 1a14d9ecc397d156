/**
 * Rules beside the lease, each with a check on real parts and with mutants that break it: a mutant replaces a part, or a
 * text in a function of the database. No schedule has to be explored for them, because one order of events tells.
 */

import { LoadLimit } from '../../../src/fence/load-limit.js';
import { endAbandoned } from '../../../src/management/abandoned-rotations.js';
import { outdating } from '../../../src/resolver/connect-parts.js';
import { openProviderStore, type ProviderStore, type ProviderStoreOptions } from '../../../src/store/provider-store.js';
import { type TestDatabase, withSession } from '../../support/database.js';
import type { FakeTemporal } from './rotation-rules.js';

/** What a worker uses of its store. */
export type WorkerStore = Pick<
  ProviderStore,
  'readWorkspace' | 'registerWorker' | 'renewLease' | 'deregisterWorker' | 'close'
>;

export interface RuleParts {
  readonly openStore: (options: ProviderStoreOptions) => WorkerStore;
  /** Marks what running steps hold before it drops what changed from the cache. */
  readonly outdating: typeof outdating;
  readonly loadLimit: () => LoadLimit;
  readonly endAbandoned: typeof endAbandoned;
  /** What a rotation's end sees of Temporal and Postgres. Only mutants change it. */
  readonly seen: (temporal: FakeTemporal) => FakeTemporal;
}

/** The parts as they are shipped. */
export const PARTS: RuleParts = {
  openStore: openProviderStore,
  outdating,
  loadLimit: () => new LoadLimit(),
  endAbandoned,
  seen: (temporal) => temporal,
};

export interface Mutant {
  readonly parts?: Partial<RuleParts>;
  /** A function of the database, a text in it that occurs once, and what is in its place. */
  readonly sql?: readonly [name: string, text: string, replacement: string];
}

export interface Rule {
  /**
   * @param database - opens the database of the test, which has the mutant
   * @returns what went wrong; `undefined` if the rule holds
   */
  readonly check: (database: () => Promise<TestDatabase>, parts: RuleParts) => Promise<string | undefined>;
  readonly mutants: Readonly<Record<string, Mutant>>;
}

/** @throws if the text does not occur exactly once: the mutant would break nothing, or another rule too */
export async function mutateFunction(database: TestDatabase, [name, text, by]: NonNullable<Mutant['sql']>) {
  await withSession(database.ownerUrl, async (session) => {
    const { rows } = await session.query<{ definition: string }>(
      `select pg_get_functiondef(oid) as definition from pg_proc
        where pronamespace = 'provider_api'::regnamespace and proname = $1`,
      [name],
    );
    const parts = rows
      .map(({ definition }) => definition)
      .join('\n')
      .split(text);
    if (rows.length !== 1 || parts.length !== 2) throw new Error(`${name} does not have once: ${text}`);
    await session.query(parts.join(by));
  });
}
