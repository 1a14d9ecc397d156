/**
 * A worker as users run it, with a short lease, that reads continuously and records the results: from the cache by
 * `peek`, through loads, and with the credential itself. It also runs agents and their steps, long ones too, and answers
 * rotations.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { NativeConnection, Worker } from '@temporalio/worker';
import { Lease } from '../../src/fence/lease.js';
import {
  isProviderError,
  type LlmCredential,
  type OpenCredential,
  type ProviderReference,
  WorkspaceProviders,
} from '../../src/index.js';
import { LOOPBACK } from '../../testbed/loopback.js';
import { beginAsChild, tellParent } from './child.js';
import { LongSteps } from './long-steps.js';
import { keyOf, REQUESTS, type ReaderSettings, type SeenCredential, serialOf, type ToReader } from './messages.js';
import { ReadRecorder } from './parts/observations.js';
import { untilItWorks } from './parts/patience.js';

const ROUNDS_A_BURST = 7;
/** A pause, because the readers share two cores with the servers that they read from. */
const BURST_PAUSE_MS = 10;
const OPEN_PAUSE_MS = 40;
const FAILURE_PAUSE_MS = 5;
/** How long a stop waits for a lease. The fault that asks for it waits a little longer. */
const LEASE_BACK_MS = 4_000;
/** Short, because a killed reader loses what it has not reported. */
const REPORT_INTERVAL_MS = 100;
/** $1 is the process id, $2 the seconds to wait. */
const WAKE = 'sleep "$2"; kill -s CONT "$1"';

const NAME = 'anthropic';
const clock = () => process.hrtime.bigint();

class Reader {
  readonly #recorder: ReadRecorder;
  readonly #loading = new Set<string>();
  readonly #credentials = new Map<string, SeenCredential>();
  #newCredentials: SeenCredential[] = [];
  #ended = false;

  constructor(
    private readonly settings: ReaderSettings,
    private readonly providers: WorkspaceProviders,
    private readonly longSteps: LongSteps,
  ) {
    this.#recorder = new ReadRecorder(settings.reader);
  }

  start(): void {
    void this.#spin();
    void this.#openOften();
    setInterval(() => this.report(), REPORT_INTERVAL_MS);
  }

  end(): void {
    this.#ended = true;
    this.report();
  }

  report(): void {
    const credentials = this.#newCredentials;
    this.#newCredentials = [];
    tellParent({ is: 'report', report: this.#recorder.news(), credentials });
    tellParent({ is: 'report', ...this.longSteps.news() });
  }

  /** Loads a workspace past the cache, whatever the status of its provider is. */
  async load(workspaceId: string, accepts = () => false): Promise<void> {
    await this.#attempt(async () => {
      const invokedAt = clock();
      const { entry } = await this.providers.resolver.parts.cache.read(workspaceId, accepts);
      const version = entry.find('llm', 'anthropic')?.record.version;
      if (version !== undefined) this.#recorder.returned(keyOf(workspaceId), version, invokedAt, clock());
    });
  }

  /** Stops the process after the cache has answered, and uses the answer when it continues. */
  async stopBeforeUse(ms: number): Promise<void> {
    const { workspaceIds } = this.settings;
    const endMs = performance.now() + LEASE_BACK_MS;
    for (; performance.now() < endMs; await delay(FAILURE_PAUSE_MS)) {
      const isWarm = workspaceIds.some((id) => this.providers.resolver.peek(id, 'llm', NAME));
      if (isWarm && (await this.#stopAtHit(ms))) return tellParent({ is: 'stopped-before-use' });
    }
  }

  async #stopAtHit(ms: number): Promise<boolean> {
    const { resolver } = this.providers;
    const waker = spawn('/bin/sh', ['-c', WAKE, 'waker', String(process.pid), String(ms / 1_000)], {
      stdio: 'ignore',
      detached: true,
    });
    await once(waker, 'spawn');
    for (const workspaceId of shuffled(this.settings.workspaceIds)) {
      const invokedAt = clock();
      const reference = resolver.peek(workspaceId, 'llm', NAME);
      if (!reference) continue;
      process.kill(process.pid, 'SIGSTOP');
      this.#recorder.returned(keyOf(workspaceId), reference.version, invokedAt, clock());
      await this.#attempt(() => this.#open(workspaceId, reference));
      return true;
    }
    return false;
  }

  async #spin(): Promise<void> {
    const { resolver } = this.providers;
    while (!this.#ended) {
      for (let round = 0; round < ROUNDS_A_BURST; round += 1) {
        for (const workspaceId of this.settings.workspaceIds) {
          const invokedAt = clock();
          const reference = resolver.peek(workspaceId, 'llm', NAME);
          const returnedAt = clock();
          if (reference) this.#recorder.returned(keyOf(workspaceId), reference.version, invokedAt, returnedAt);
          else if (!this.#loading.has(workspaceId)) void this.#readThrough(workspaceId);
        }
      }
      await delay(BURST_PAUSE_MS);
    }
  }

  async #readThrough(workspaceId: string): Promise<void> {
    this.#loading.add(workspaceId);
    await this.#attempt(() => this.#resolve(workspaceId));
    this.#loading.delete(workspaceId);
  }

  async #openOften(): Promise<void> {
    for (let turn = 0; !this.#ended; turn += 1) {
      const [workspaceId = ''] = shuffled(this.settings.workspaceIds);
      if (turn % 4 === 0) void this.load(workspaceId, () => true);
      else void this.#attempt(async () => this.#open(workspaceId, await this.#resolve(workspaceId), turn % 4 === 1));
      await delay(OPEN_PAUSE_MS);
    }
  }

  async #resolve(workspaceId: string) {
    const invokedAt = clock();
    const reference = await this.providers.resolver.resolveLlmKey({ workspaceId: workspaceId, provider: 'anthropic' });
    this.#recorder.returned(keyOf(workspaceId), reference.version, invokedAt, clock());
    return reference;
  }

  /** Opens a reference. This is a separate read, which may return a newer version than the reference's. */
  async #open(workspaceId: string, reference: ProviderReference<'llm'>, holding = false): Promise<void> {
    const { resolver } = this.providers;
    const key = keyOf(workspaceId);
    const invokedAt = clock();
    const saw = ({ credential, use }: OpenCredential<LlmCredential>) => {
      this.#recorder.returned(key, use.version, invokedAt, clock());
      this.#sawCredential({ key, version: use.version, serial: serialOf(credential.apiKey) });
    };
    if (!holding) return saw(await resolver.open(reference));
    await resolver.withProvider(reference, async ({ reveal }) => {
      saw(await resolver.open(reference));
      await reveal();
      await delay(Math.random() * 100); // a step that drains have to wait for
    });
  }

  #sawCredential(seen: SeenCredential): void {
    const id = `${seen.key} ${seen.version} ${seen.serial}`;
    if (this.#credentials.has(id)) return;
    this.#credentials.set(id, seen);
    this.#newCredentials.push(seen);
  }

  async #attempt(read: () => Promise<unknown>): Promise<void> {
    try {
      await read();
    } catch (error) {
      this.#recorder.failed(isProviderError(error) ? error.type : 'unknown');
      await delay(FAILURE_PAUSE_MS);
    }
  }
}

function shuffled<Item>(items: readonly Item[]): Item[] {
  const rest = [...items];
  return items.map(() => rest.splice(Math.floor(Math.random() * rest.length), 1)[0] as Item);
}

/** Runs until it gets the message to end, even if its Temporal worker fails. */
async function work(
  { temporalAddress, taskQueue, workflowBundle }: ReaderSettings,
  providers: WorkspaceProviders,
  { longStep }: LongSteps,
) {
  let worker: Worker | undefined;
  let ended = false;
  const run = async () => {
    while (!ended) {
      const connection = await untilItWorks(() => NativeConnection.connect({ address: temporalAddress }));
      try {
        worker = await Worker.create({
          connection,
          taskQueue,
          workflowBundle: { codePath: workflowBundle },
          activities: { longStep },
          plugins: [providers.plugin()],
          shutdownGraceTime: 0,
          shutdownForceTime: '2 seconds',
        });
        await worker.run();
      } catch (error) {
        if (!ended) tellParent({ is: 'worker-failed', message: String(error) });
        await delay(200);
      } finally {
        await connection.close().catch(() => {});
      }
    }
  };
  const running = run();
  return async () => {
    ended = true;
    if (worker?.getState() === 'RUNNING') worker.shutdown();
    await running;
  };
}

const settings = beginAsChild<ReaderSettings>();
globalThis.AI_SDK_LOG_WARNINGS = false;
if (settings.leaseNeverEnds) Lease.prototype.isHeld = () => true;

const providers = await untilItWorks(() =>
  WorkspaceProviders.connect({
    databaseUrl: settings.databaseUrl,
    databaseConnections: 5,
    rootKeys: settings.encryptionKey,
    egress: LOOPBACK,
    grantKeys: settings.grantKeySet,
    lease: settings.lease,
    longestStep: settings.longestStep,
    listenDatabaseUrl: settings.listenUrl,
    identity: settings.reader,
    env: {},
  }),
);
const longSteps = new LongSteps(`${settings.reader}${REQUESTS}`);
const reader = new Reader(settings, providers, longSteps);
const stopWork = await work(settings, providers, longSteps);
reader.start();
tellParent({ is: 'ready' });
process.on('message', (message: ToReader) => {
  if (message.do === 'load') void reader.load(message.workspaceId);
  else if (message.do === 'stop-before-use') void reader.stopBeforeUse(message.ms);
  else void end();
});

async function end(): Promise<void> {
  reader.end();
  await stopWork();
  await providers.close();
  process.exit();
}
