/** The parts that the protocol is made of, each of them a seam: a mutant replaces one. */

import type { Clock } from '../../../src/fence/clock.js';
import { awaitFence } from '../../../src/fence/fence.js';
import { Janitor } from '../../../src/fence/janitor.js';
import { Lease } from '../../../src/fence/lease.js';
import type { LeasedCache } from '../../../src/fence/lease-keeper.js';
import type { LeaseStore, WorkerRegistry, WorkspaceSnapshot } from '../../../src/store/ports.js';
import type { Session } from './statements.js';

export interface Protocol {
  readonly lease: (leaseMs: number, clock: Clock) => Lease;
  /** What the keeper takes changes out of. */
  readonly leasedCache: (cache: LeasedCache) => LeasedCache;
  /** How the keeper talks to the database. */
  readonly leaseStore: (session: Session) => LeaseStore;
  /** How the resolver does. */
  readonly load: (session: Session) => (workspaceId: string) => Promise<WorkspaceSnapshot>;
  readonly fence: typeof awaitFence;
  /** How a fence talks to the database, whose wall clock is given for those who would believe it. */
  readonly fenceRegistry: (session: Session, wallMs: () => number) => WorkerRegistry;
  readonly janitor: (session: Session, clock: Clock) => Pick<Janitor, 'look'>;
}

/** As it is shipped. */
export const PROTOCOL: Protocol = {
  lease: (leaseMs, clock) => new Lease(leaseMs, clock),
  leasedCache: (cache) => cache,
  leaseStore: (session) => session,
  load: (session) => session.readWorkspace,
  fence: awaitFence,
  fenceRegistry: (session) => session,
  janitor: (session, clock) => new Janitor(session, clock),
};
