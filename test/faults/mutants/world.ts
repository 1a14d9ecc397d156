/**
 * One worker that may stop at any point, a janitor, and changes with their fences and drains: the real classes, with a
 * stepped database, a stepped service and clocks that the schedule moves. Between two actions nothing runs until the next action continues it. So
 * a schedule, which is a list of actions, decides everything, and a replay of it is exact.
 *
 * The property: a read that starts after a fence returned for a version returns that version or a newer one. With a long
 * step: neither does the head of a request have an older version, if it is written after that and its credential was read
 * under the lease, or if the request was made after that; and when a drain has ended, no request in flight has an older
 * version, and no step that runs was shown one.
 */
import { setImmediate as quiescence } from 'node:timers/promises';
import { outlasting } from '../../../src/fence/clock.js';
import { awaitDrain } from '../../../src/fence/drain.js';
import { LeaseKeeper } from '../../../src/fence/lease-keeper.js';
import { isProviderError } from '../../../src/protocol/errors.js';
import type { ProviderReference } from '../../../src/protocol/references.js';
import { PlatformFallback } from '../../../src/providers/platform-fallback.js';
import { ProviderTypes } from '../../../src/providers/provider-types.js';
import { createParts, outdating } from '../../../src/resolver/connect-parts.js';
import { ProviderResolver } from '../../../src/resolver/provider-resolver.js';
import type { HeldQuestion, HolderRegistry } from '../../../src/store/ports.js';
import { LongStep, STEPPED_PROVIDER } from './long-step.js';
import type { Protocol } from './protocol.js';
import { apiKeyOf, STEPPED, SteppedService } from './service.js';
import { SteppedDatabase } from './statements.js';

const WORKSPACE = 'ws_acme';
const LEASE_MS = 1_000;
/** The step of time. It ends a lease, and also a wait that outlasts it. */
const TICK_MS = outlasting(LEASE_MS);
/** The worker's monotonic clock is slow by as much as the protocol allows. */
const SLOW = 0.99;
const AN_HOUR_MS = 3_600_000;

/** The platform has a key too, which must never be used while the workspace has its own. */
const FALLBACK = PlatformFallback.parse(
  'llm/anthropic',
  { ANTHROPIC_API_KEY: 'canary-key-of-the-platform' },
  ProviderTypes.builtIn,
);
const TYPES = ProviderTypes.with([STEPPED]);

/** Some faults need a second change to show. */
const MOST_CHANGES = 2;

type Activity = 'renewal' | 'read' | 'look' | 'fence' | 'step' | 'drain';

export interface WorldOptions {
  /**
   * Whether a step makes requests, and changes are drained. Then there are no other reads, no janitor, and neither the
   * database nor its clock moves: a schedule has room for few actions.
   */
  readonly hasStep: boolean;
}

export class World {
  /** The first violation, if any. */
  violation: string | undefined;
  /** The number of reads that returned and were checked. */
  reads = 0;
  fences = 0;
  drains = 0;
  readonly #database = new SteppedDatabase([{ type: 'llm', name: 'anthropic' }, STEPPED_PROVIDER]);
  readonly #clock = { nowMs: 0, suspendedMs: 0, databaseAheadMs: 0 };
  readonly #spent = new Set<string>();
  readonly #resolver: ProviderResolver<[typeof STEPPED]>;
  readonly #service: SteppedService;
  readonly #step: LongStep;
  readonly #drain: () => Promise<unknown>;
  readonly #keeper: LeaseKeeper;
  readonly #look: () => Promise<unknown>;
  readonly #fence: () => Promise<number>;
  #done = 1;
  #drained = 1;
  #hasRegistered = false;
  /** What the drain of the newest fenced change asks. */
  #question: HeldQuestion | undefined;
  #changes = 0;
  readonly #underWay: Activity[] = [];
  #wakeFence: (() => void) | undefined;

  readonly #protocol: Protocol;

  constructor(
    protocol: Protocol,
    private readonly options: WorldOptions = { hasStep: false },
  ) {
    this.#protocol = protocol;
    if (options.hasStep) for (const fault of ['back', 'jump']) this.#spent.add(fault);
    const [worker, janitor, fence] = ['worker', 'janitor', 'fence'].map((who) => this.#database.session(who));
    if (!worker || !janitor || !fence) throw new Error('unreachable');
    const onViolation = (what: string) => {
      this.violation ??= what;
    };
    const done = () => this.#done;
    const clock = this.#clock;
    const databaseWallMs = () => clock.nowMs + clock.databaseAheadMs;
    const trueClock = { monotonicMs: () => clock.nowMs, wallMs: databaseWallMs };
    const lease = protocol.lease(LEASE_MS, {
      monotonicMs: () => (clock.nowMs - clock.suspendedMs) * SLOW,
      wallMs: () => clock.nowMs,
    });
    const { completing, afterRedirect } = protocol;
    this.#service = new SteppedService({
      ...{ completing, afterRedirect, bind: protocol.bind(), isLeaseHeld: () => lease.isHeld(), onViolation },
      ...{ done, drained: () => this.#drained },
    });
    const made = createParts({
      store: { readWorkspace: protocol.load(worker) },
      sealer: { open: async (_place, version) => JSON.stringify({ apiKey: apiKeyOf(version) }) },
      fetch: this.#service.fetch,
      fallback: FALLBACK,
      types: TYPES,
      lease,
    });
    const scopes = protocol.scopes(made.scopes, () => this.#step.isRevealing);
    const parts = { ...made, scopes, cache: protocol.cache(made.cache) };
    this.#resolver = ProviderResolver.of(parts);
    this.#step = new LongStep({
      ...{ resolver: this.#resolver, workspaceId: WORKSPACE, done, onViolation },
      during: (work) => this.#during('step', work),
      mayBegin: () => this.#hasRegistered,
    });
    this.#keeper = new LeaseKeeper({
      store: protocol.leaseStore(worker),
      worker: { workerId: 'w', taskQueue: 'q', identity: 'i', build: '0', leaseMs: LEASE_MS, longestStepMs: LEASE_MS },
      lease,
      cache: protocol.leasedCache(outdating(parts.cache, parts.scopes)),
      held: () => parts.scopes.outdated(),
    });
    const jan = protocol.janitor(janitor, trueClock);
    this.#look = () => jan.look();
    const sleep = () => new Promise<void>((wake) => (this.#wakeFence = wake));
    const registry = protocol.fenceRegistry(fence, databaseWallMs);
    const drain = this.#database.session('drain');
    this.#drain = () => this.#drainOnce(drain);
    this.#fence = () => {
      const change = {
        epoch: protocol.fenceEpoch(this.#database, WORKSPACE),
        lineage: this.#database.rows.lineage,
      };
      return protocol.fence({ registry, change, clock: trueClock, sleep }).then(() => change.epoch);
    };
  }

  /** The possible next actions, by name. */
  actions(): Map<string, () => void> {
    const isIdle = (activity: Activity) => !this.#underWay.includes(activity);
    const { hasStep } = this.options;
    const isFenced = this.#done === this.#database.version;
    const wakeFence = this.#wakeFence;
    const actions = this.#database.actions(!this.#spent.has('loss'));
    const may = (condition: unknown, name: string, run: () => void) => condition && actions.set(name, run);
    may(true, 'time passes', () => this.#pass());
    may(!this.#spent.has('suspension'), 'time passes, the worker suspended', () => this.#suspend());
    may(!this.#spent.has('jump'), 'the database’s clock jumps', () => this.#jump());
    may(isIdle('renewal'), 'the worker renews', () => this.#during('renewal', this.#keeper.renew()));
    may(!hasStep && isIdle('read'), 'a read', () => this.#read());
    may(!hasStep && isIdle('look'), 'the janitor looks', () => this.#during('look', this.#look()));
    may(isFenced && this.#changes < MOST_CHANGES, 'a change commits', () => this.#change());
    may(!this.#spent.has('back'), 'the database goes back', () => this.#goBack(true));
    may(!this.#spent.has('back'), 'the database goes back to before the worker registered', () => this.#goBack(false));
    may(this.#database.isUnnumbered, 'the change gets its epoch', () => this.#database.number(WORKSPACE));
    may(!isFenced && isIdle('fence'), 'its fence begins', () => this.#beginFence());
    may(wakeFence, 'the fence looks again', () => {
      this.#wakeFence = undefined;
      wakeFence?.();
    });
    if (!hasStep) return actions;
    may(this.#question && isIdle('drain'), 'a drain looks', () => this.#during('drain', this.#drain()));
    return new Map([...actions, ...this.#step.actions(), ...this.#service.actions()]);
  }

  /** Runs one action, and everything that follows from it without another action. */
  async take(name: string): Promise<void> {
    const run = this.actions().get(name);
    if (!run) throw new Error(`no such action now: ${name}`);
    if (name.endsWith('lost')) this.#spent.add('loss');
    run();
    await quiescence();
    this.#hasRegistered ||= this.#database.rows.row('w') !== undefined;
    const hit = this.#resolver.peek(WORKSPACE, 'llm', 'anthropic');
    if (hit) this.#check(hit, this.#done);
  }

  end(): void {
    this.#service.end();
  }

  /** The number of heads that were written and checked. */
  get heads(): number {
    return this.#service.heads;
  }

  #change(): void {
    this.#changes += 1;
    this.#database.change();
  }

  /** Loses all changes. What is read then counts as newer than whatever was read before. */
  #goBack(knowsWorkers: boolean): void {
    this.#spent.add('back');
    this.#changes = 0;
    this.#database.goBack(this.#database.version + 1);
    this.#protocol.goBack(this.#database.rows, 0, LEASE_MS, knowsWorkers);
  }

  #pass(): void {
    this.#clock.nowMs += TICK_MS;
    this.#setDatabaseClock();
  }

  #suspend(): void {
    this.#spent.add('suspension');
    this.#clock.suspendedMs += TICK_MS;
    this.#pass();
  }

  #jump(): void {
    this.#spent.add('jump');
    this.#clock.databaseAheadMs += AN_HOUR_MS;
    this.#setDatabaseClock();
  }

  #setDatabaseClock(): void {
    this.#database.rows.wallMs = this.#clock.nowMs + this.#clock.databaseAheadMs;
  }

  #beginFence(): void {
    const { version } = this.#database;
    const fenced = this.#fence().then((epoch) => {
      this.fences += 1;
      this.#done = version;
      this.#question = { provider: { workspaceId: WORKSPACE, ...STEPPED_PROVIDER }, version, epoch };
      // A load that is already running must not answer this read.
      if (this.#underWay.includes('read')) this.#read();
    });
    this.#during('fence', fenced);
  }

  async #drainOnce(registry: HolderRegistry): Promise<void> {
    const question = this.#question as HeldQuestion;
    const { version = 0 } = question;
    const holders = await awaitDrain({ registry, question, limitMs: 0 });
    if (holders.length > 0) return;
    this.drains += 1;
    this.#drained = Math.max(this.#drained, version);
    if (this.#question === question) this.#question = undefined;
    if (this.#service.oldestInFlight < version) this.violation ??= `a drain of ${version} left a request in flight`;
    if (this.#step.revealed < version)
      this.violation ??= `a drain of ${version} left a step that was shown an older one`;
  }

  #read(): void {
    const floor = this.#done;
    const read = this.#resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' });
    this.#during(
      'read',
      read.then((reference) => this.#check(reference, floor)),
    );
  }

  #check({ version, source, cache }: ProviderReference, floor: number): void {
    this.reads += 1;
    if (source === 'platform') this.violation ??= 'the platform’s key was given to a workspace that has its own';
    else if (version < floor) this.violation ??= `a ${cache} returned version ${version}, and ${floor} was done`;
  }

  #during(activity: Activity, work: Promise<unknown>): void {
    this.#underWay.push(activity);
    work
      .catch((error: unknown) => {
        if (!isProviderError(error, 'StoreUnavailable')) this.violation ??= `unexpected: ${String(error)}`;
      })
      .finally(() => this.#underWay.splice(this.#underWay.indexOf(activity), 1));
  }
}
