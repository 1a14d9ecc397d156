/**
 * Causes faults again and again: each kind in turn, in parallel lanes, so that faults coincide. A fault only counts if
 * it struck, which means that it affected something.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Ledger } from './ledger.js';
import { untilItWorks } from './parts/patience.js';
import { pause, pauseFor } from './parts/signals.js';
import type { Seat } from './seats.js';
import { READERS, type ReaderName, type Route, type Stage } from './stage.js';

export interface Fleet {
  readonly readers: Readonly<Record<ReaderName, Seat>>;
  readonly operations: readonly Seat[];
}

/** Resolves to `true` if the fault struck. */
type Fault = () => Promise<boolean>;

/** A lane runs one fault after the other. */
interface Lane {
  /** The pause between faults. It gives delayed work time to finish now and then. */
  readonly intervalMs: number;
  readonly faults: Readonly<Record<string, Fault>>;
}

export const NEMESIS_FAULTS: readonly string[] = [
  ...['stoppedBriefly', 'stoppedForLong', 'stoppedInLoad', 'stoppedInRenewal', 'stoppedBeforeUse'],
  ...['delayed', 'heldAndDelivered', 'cut', 'notificationsCut', 'postgresCrashed', 'clockJumped'],
  ...['killed', 'operationsKilled', 'temporalRestarted'],
];

const HOUR_S = 3_600;
const AIM_TIMEOUT_MS = 1_000;

export class Nemesis {
  readonly #lanes: readonly Lane[];

  constructor(
    private readonly stage: Stage,
    private readonly fleet: Fleet,
    private readonly ledger: Ledger,
    private readonly leaseMs: number,
  ) {
    const stops = {
      stoppedBriefly: () => this.#stop(between(0.1, 0.8)),
      stoppedForLong: () => this.#stop(between(1.1, 4)),
      stoppedInLoad: () => this.#stopInLoad(),
      stoppedInRenewal: () => this.#stopInRenewal(),
      stoppedBeforeUse: () => this.#stopBeforeUse(),
    };
    const troubles = {
      delayed: () => this.#delay(),
      heldAndDelivered: () => this.#hold(),
      cut: () => this.#cut(this.#someReader()),
      notificationsCut: () => this.#cutNotifications(),
      postgresCrashed: () => this.#crashPostgres(),
      clockJumped: () => this.#jump(),
    };
    const killed = () => this.#kill(this.fleet.readers[this.#someReader()]);
    const operationsKilled = () => this.#kill(pick(this.fleet.operations));
    const temporalRestarted = () => this.#restartTemporal();
    this.#lanes = [
      { intervalMs: 2_600, faults: stops },
      { intervalMs: 2_500, faults: troubles },
      { intervalMs: 24_000, faults: { killed } },
      { intervalMs: 24_000, faults: { operationsKilled } },
      { intervalMs: 24_000, faults: { temporalRestarted } },
    ];
  }

  /** Runs until the signal is aborted and each kind has struck often enough. Returns when every fault has ended. */
  async run(kinds: readonly string[], signal: AbortSignal): Promise<void> {
    const isOver = () => signal.aborted && !this.ledger.isShortOf(kinds);
    const lanes = this.#lanes.map(async ({ intervalMs, faults }) => {
      const own = Object.entries(faults).filter(([kind]) => kinds.includes(kind));
      let last = '';
      while (!isOver() && own.length > 0) {
        await this.ledger.awaitTurn(own.map(([kind]) => kind));
        const next = delay(intervalMs * between(0.8, 1.2));
        const [kind, strike] = this.#rarest(own, last);
        last = kind;
        const startMs = performance.now();
        if (await strike().catch(() => false)) this.ledger.countFault(kind, performance.now() - startMs);
        await next;
      }
    });
    await Promise.all(lanes);
    this.stage.proxy.pass();
  }

  /** One of those that struck least often. One that has just missed does not keep the others waiting. */
  #rarest(faults: readonly [string, Fault][], last: string): [string, Fault] {
    const others = faults.length > 1 ? faults.filter(([kind]) => kind !== last) : faults;
    const count = (kind: string) => this.ledger.faults[kind] ?? 0;
    const least = Math.min(...others.map(([kind]) => count(kind)));
    return pick(others.filter(([kind]) => count(kind) === least));
  }

  async #stop(leases: number): Promise<boolean> {
    await pauseFor(this.fleet.readers[this.#someReader()].pid, leases * this.leaseMs);
    return true;
  }

  /** Slows a load down, and stops the process while the answer is on its way. It reads the answer when it continues. */
  async #stopInLoad(): Promise<boolean> {
    const reader = this.#someReader();
    const { proxy, workspaceIds } = this.stage;
    const oneWayMs = between(20, 80);
    const before = proxy.counts.delayedChunks;
    proxy.delay(oneWayMs, reader);
    try {
      for (const workspaceId of shuffled(workspaceIds)) this.fleet.readers[reader].tell({ do: 'load', workspaceId });
      if (!(await until(() => proxy.counts.delayedChunks > before))) return false;
      await delay(oneWayMs * between(0.5, 1.8));
      await pauseFor(this.fleet.readers[reader].pid, between(0.2, 2) * this.leaseMs);
    } finally {
      proxy.pass(reader);
    }
    return true;
  }

  /** Holds a renewal, the only statement of warm readers, and delivers it while its sender is stopped. */
  async #stopInRenewal(): Promise<boolean> {
    const reader = this.#someReader();
    const { proxy } = this.stage;
    const before = proxy.counts.heldChunks;
    proxy.hold(reader);
    let resume = async () => {};
    try {
      if (!(await until(() => proxy.counts.heldChunks > before))) return false;
      resume = await pause(this.fleet.readers[reader].pid);
      await delay(between(0.1, 1.5) * this.leaseMs);
      proxy.pass(reader);
      await delay(between(0, 0.8) * this.leaseMs);
    } finally {
      proxy.pass(reader);
      await resume();
    }
    return true;
  }

  async #stopBeforeUse(): Promise<boolean> {
    const seat = this.fleet.readers[this.#someReader()];
    const ms = between(0.3, 2) * this.leaseMs;
    const stopped = seat.heard('stopped-before-use', AbortSignal.timeout(Math.ceil(ms) + 5_000));
    seat.tell({ do: 'stop-before-use', ms });
    await stopped;
    return true;
  }

  async #delay(): Promise<boolean> {
    const { proxy } = this.stage;
    const before = proxy.counts.delayedChunks;
    const route = this.#maybeAll();
    proxy.delay(between(20, 0.6 * this.leaseMs), route);
    await delay(between(500, 1_500));
    proxy.pass(route);
    return proxy.counts.delayedChunks > before;
  }

  async #hold(): Promise<boolean> {
    const { proxy } = this.stage;
    const before = proxy.counts.heldChunks;
    const route = this.#maybeAll();
    proxy.hold(route);
    await delay(between(0.3, 2.5) * this.leaseMs);
    proxy.pass(route);
    return proxy.counts.heldChunks > before;
  }

  async #cut(route: Route): Promise<boolean> {
    const { proxy } = this.stage;
    const before = proxy.counts.cutConnections;
    proxy.cut(route);
    await delay(between(0.2, 2) * this.leaseMs);
    proxy.pass(route);
    return proxy.counts.cutConnections > before;
  }

  /** After a crash of Postgres, a listener may wait before it connects again. */
  async #cutNotifications(): Promise<boolean> {
    for (const reader of shuffled(READERS)) {
      if (await this.#cut(`${reader}-listens`)) return true;
    }
    return false;
  }

  async #crashPostgres(): Promise<boolean> {
    await this.stage.postgres.crash();
    await delay(between(0, 1.5) * this.leaseMs);
    await untilItWorks(() => this.stage.postgres.restart());
    return true;
  }

  /** Moves the clock, and back. Postgres sees it within a second. */
  async #jump(): Promise<boolean> {
    const { postgres } = this.stage;
    await postgres.jump(postgres.offsetSeconds === 0 ? pick([HOUR_S, -HOUR_S]) : -postgres.offsetSeconds);
    await delay(1_500);
    return true;
  }

  async #kill(seat: Seat): Promise<boolean> {
    await seat.kill();
    await delay(between(0, 1_500));
    await seat.start();
    return true;
  }

  async #restartTemporal(): Promise<boolean> {
    await this.stage.temporal.crash();
    await delay(between(0, 1_000));
    await untilItWorks(() => this.stage.temporal.restart());
    return true;
  }

  #someReader(): ReaderName {
    return pick(READERS);
  }

  #maybeAll(): Route | undefined {
    return Math.random() < 0.3 ? undefined : pick([this.#someReader(), this.#someReader(), 'operations']);
  }
}

async function until(isSo: () => boolean): Promise<boolean> {
  for (const deadlineMs = performance.now() + AIM_TIMEOUT_MS; performance.now() < deadlineMs; await delay(1)) {
    if (isSo()) return true;
  }
  return false;
}

function between(least: number, most: number): number {
  return least + Math.random() * (most - least);
}

function pick<Item>(items: readonly Item[]): Item {
  return items[Math.floor(Math.random() * items.length)] as Item;
}

function shuffled<Item>(items: readonly Item[]): Item[] {
  const rest = [...items];
  return items.map(() => rest.splice(Math.floor(Math.random() * rest.length), 1)[0] as Item);
}
