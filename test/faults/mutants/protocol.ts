/** The parts of the protocol. A mutant replaces one of them. */

import type { Clock } from '../../../src/fence/clock.js';
import { awaitFence } from '../../../src/fence/fence.js';
import { Janitor } from '../../../src/fence/janitor.js';
import { Lease } from '../../../src/fence/lease.js';
import type { LeasedCache } from '../../../src/fence/lease-keeper.js';
import type { OpenScopes } from '../../../src/resolver/open-scopes.js';
import type { WorkspaceCache } from '../../../src/resolver/workspace-cache.js';
import type { LeaseStore, WorkerRegistry, WorkspaceSnapshot } from '../../../src/store/ports.js';
import type { FakeRegistry } from '../../support/fake-registry.js';
import { type Completing, completing, type SteppedRequest } from './service.js';
import type { Session, SteppedDatabase } from './statements.js';

export interface Protocol {
  readonly lease: (leaseMs: number, clock: Clock) => Lease;
  /** The cache from which the keeper drops changed workspaces. */
  readonly leasedCache: (cache: LeasedCache) => LeasedCache;
  /** The keeper's access to the database. */
  readonly leaseStore: (session: Session) => LeaseStore;
  /** The resolver's access to the database. */
  readonly load: (session: Session) => (workspaceId: string) => Promise<WorkspaceSnapshot>;
  readonly fence: typeof awaitFence;
  /** The epoch that a fence waits for. */
  readonly fenceEpoch: (database: SteppedDatabase, workspaceId: string) => number;
  /** What the database does when it was restored to an earlier time. */
  readonly goBack: (rows: FakeRegistry, epoch: number, longestLeaseMs: number, knowsWorkers: boolean) => void;
  /** The fence's access to the database. Only mutants use the wall clock. */
  readonly fenceRegistry: (session: Session, wallMs: () => number) => WorkerRegistry;
  readonly janitor: (session: Session, clock: Clock) => Pick<Janitor, 'look'>;
  /** The cache that requests ask. */
  readonly cache: (cache: WorkspaceCache) => WorkspaceCache;
  /** What counts the holders of a credential. Only mutants use whether it is revealed. */
  readonly scopes: (scopes: OpenScopes, isRevealing: () => boolean) => OpenScopes;
  /** What the requests of a step are sent with. */
  readonly bind: () => (request: SteppedRequest) => SteppedRequest;
  /** Completes the heads that are written to a socket. */
  readonly completing: Completing;
  /** The same, on the connection that a redirect leads to. */
  readonly afterRedirect: Completing;
}

/** The protocol as it is shipped. */
export const PROTOCOL: Protocol = {
  lease: (leaseMs, clock) => new Lease(leaseMs, clock),
  leasedCache: (cache) => cache,
  leaseStore: (session) => session,
  load: (session) => session.readWorkspace,
  fence: awaitFence,
  fenceEpoch: (database, workspaceId) => database.number(workspaceId),
  goBack: (rows, ...copy) => rows.goBack(...copy),
  fenceRegistry: (session) => session,
  janitor: (session, clock) => new Janitor(session, clock),
  cache: (cache) => cache,
  scopes: (scopes) => scopes,
  bind: () => (request) => request,
  completing,
  afterRedirect: completing,
};
