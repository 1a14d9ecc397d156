/**
 * A proxy to Postgres that a nemesis controls, byte for byte: it passes, delays, holds or cuts. It delivers held bytes
 * later, completely and in order, even if the sender is dead, because a late statement is worse for a reader than one
 * that never arrives. It holds bytes in memory, without a limit, because the answers of Postgres are small here.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

type Mode = { readonly kind: 'pass' | 'hold' | 'cut' } | { readonly kind: 'delay'; readonly delayMs: number };

/** Counts what the modes affected. A fault that affected nothing does not count. */
export interface ProxyCounts {
  /** The number of accepted connections. */
  connections: number;
  refusedConnections: number;
  cutConnections: number;
  /** The number of delayed pieces of a stream, in both directions, as the kernel delivered them. */
  delayedChunks: number;
  heldChunks: number;
}

export interface PostgresProxy<Route extends string> {
  readonly counts: Readonly<ProxyCounts>;
  /** Returns `url` with the host and port of the route. */
  through(route: Route, url: string): string;
  /** Delivers what was held, and passes everything from now on. It ends every other mode, including a cut. */
  pass(route?: Route): void;
  /** Delivers each chunk `ms` after it arrived. */
  delay(ms: number, route?: Route): void;
  /** Holds everything that either side sends. Connections stay open. */
  hold(route?: Route): void;
  /** Ends all connections, drops what was held for them, and refuses new ones. */
  cut(route?: Route): void;
  stop(): Promise<void>;
}

/**
 * Listens on one loopback port per route. A mode applies to the connections of one route, or of all if none is named.
 *
 * @param serverUrl - the URL of Postgres, which may go down and come back on its port
 * @param routes - the names of the routes, such as `pool` and `notifications`
 */
export async function startPostgresProxy<Route extends string>(
  serverUrl: string,
  routes: readonly Route[],
): Promise<PostgresProxy<Route>> {
  const { hostname, port } = new URL(serverUrl);
  const counts = { connections: 0, refusedConnections: 0, cutConnections: 0, delayedChunks: 0, heldChunks: 0 };
  const listeners = new Map<Route, Listener>();
  for (const route of routes) listeners.set(route, await Listener.open(hostname, Number(port), counts));

  function set(mode: Mode, route: Route | undefined): void {
    for (const [name, listener] of listeners) if (route === undefined || name === route) listener.set(mode);
  }
  return {
    counts,
    through: (route, url) => {
      const changed = new URL(url);
      changed.host = `127.0.0.1:${listeners.get(route)!.port}`;
      return changed.href;
    },
    pass: (route) => set({ kind: 'pass' }, route),
    delay: (delayMs, route) => set({ kind: 'delay', delayMs }, route),
    hold: (route) => set({ kind: 'hold' }, route),
    cut: (route) => set({ kind: 'cut' }, route),
    stop: async () => {
      await Promise.all([...listeners.values()].map((listener) => listener.close()));
    },
  };
}

class Listener {
  mode: Mode = { kind: 'pass' };
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  readonly #directions = new Set<Direction>();

  private constructor(
    private readonly host: string,
    private readonly serverPort: number,
    readonly counts: ProxyCounts,
  ) {
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => this.#accept(near));
  }

  static async open(host: string, serverPort: number, counts: ProxyCounts): Promise<Listener> {
    const listener = new Listener(host, serverPort, counts);
    await once(listener.#server.listen(0, '127.0.0.1'), 'listening');
    return listener;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  set(mode: Mode): void {
    this.mode = mode;
    if (mode.kind === 'cut') this.#cut();
    else for (const direction of this.#directions) direction.deliver();
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.set({ kind: 'cut' });
    await closed;
  }

  #accept(near: Socket): void {
    near.on('error', () => {});
    if (this.mode.kind === 'cut') {
      this.counts.refusedConnections += 1;
      return void near.destroy();
    }
    this.counts.connections += 1;
    const far = connect({ host: this.host, port: this.serverPort, allowHalfOpen: true, noDelay: true });
    far.on('error', () => {});
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    for (const [source, target] of [pair, [far, near] as const]) {
      const direction = new Direction(source, target, this);
      this.#directions.add(direction);
      target.once('close', () => {
        direction.drop();
        this.#directions.delete(direction);
        if (near.destroyed && far.destroyed) this.#pairs.delete(pair);
      });
    }
  }

  #cut(): void {
    this.counts.cutConnections += this.#pairs.size;
    for (const direction of this.#directions) direction.drop();
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
  }
}

/** One direction of a connection: everything that one side sends, in order, including its end. */
class Direction {
  readonly #kept: { readonly what: Buffer | 'end' | 'close'; readonly dueAt: number }[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(
    source: Socket,
    private readonly target: Socket,
    private readonly listener: Listener,
  ) {
    source
      .on('data', (chunk) => this.#take(chunk))
      .on('end', () => this.#take('end'))
      .on('close', () => this.#take('close'));
  }

  #take(what: Buffer | 'end' | 'close'): void {
    const { mode, counts } = this.listener;
    if (what instanceof Buffer && mode.kind === 'delay') counts.delayedChunks += 1;
    if (what instanceof Buffer && mode.kind === 'hold') counts.heldChunks += 1;
    this.#kept.push({ what, dueAt: performance.now() + (mode.kind === 'delay' ? mode.delayMs : 0) });
    this.deliver();
  }

  /** Delivers as much as the mode allows by now. */
  deliver(): void {
    clearTimeout(this.#timer);
    const { kind } = this.listener.mode;
    for (let next = this.#kept[0]; next && kind !== 'hold'; next = this.#kept[0]) {
      const waitMs = kind === 'delay' ? next.dueAt - performance.now() : 0;
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.deliver(), waitMs);
        return;
      }
      this.#kept.shift();
      this.#handOver(next.what);
    }
  }

  #handOver(what: Buffer | 'end' | 'close'): void {
    if (what === 'close') this.target.destroySoon();
    else if (what === 'end') this.target.end();
    else if (this.target.writable) this.target.write(what);
  }

  drop(): void {
    clearTimeout(this.#timer);
    this.#kept.length = 0;
  }
}
