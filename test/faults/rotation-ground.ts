/**
 * The ground of the faults of rotations: its own database, worker of rotations and process that holds credentials, so
 * that a fence which is made to wait delays no other rotation of the run. Temporal and the service are the run's.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type Client, ScheduleAlreadyRunning } from '@temporalio/client';
import pg from 'pg';
import type { RotateInput, RotationHandle } from '../../src/client/rotation-client.js';
import { startPostgres } from '../../src/dev/postgres.js';
import { ProviderResolver } from '../../src/index.js';
import { isProviderError } from '../../src/protocol/errors.js';
import type { ProviderIdentity } from '../../src/protocol/references.js';
import { ROTATE_DUE_PROVIDERS } from '../../src/protocol/schedules.js';
import { openProviderStore } from '../../src/store/provider-store.js';
import { LOOPBACK } from '../../testbed/loopback.js';
import { openStage, type Stage } from '../../testbed/stage.js';
import { migratedDatabase } from '../../testbed/stage-database.js';
import type { LlmStandIn } from '../../testbed/standins/llm.js';
import type { Teardown } from '../../testbed/teardown.js';
import { holdCredential } from '../support/hold-credential.js';
import type { Ledger } from './ledger.js';
import { untilItWorks } from './parts/patience.js';
import { Seat } from './seats.js';

export const ROTATION_QUEUE = 'faults-of-rotations';
const LEASE = '1s';
const LONGEST_STEP = '1500ms';
/** How long the fence waits for a worker that never answers. */
const SILENT_LEASE_MS = 1_500;
/** How often what is due is rotated, and what was terminated is ended. A run that takes longer delays the next one. */
const DUE_EVERY_MS = 4_000;
/** For whatever a restart of Temporal delays. */
const PATIENCE_MS = 60_000;
const POLL_MS = 40;

export interface RotationRow {
  readonly ended: boolean;
  readonly rolledBack: boolean;
  readonly sealed: number;
  readonly state: string;
  readonly reason: string | null;
}

/** A rotation at the stage that a fault is for. `release` ends what holds it there. */
export interface Held {
  readonly handle: RotationHandle;
  release(): Promise<void>;
}

export class RotationGround {
  private constructor(
    readonly stage: Stage,
    private readonly llm: LlmStandIn,
    private readonly resolver: ProviderResolver,
    private readonly owner: pg.Pool,
  ) {}

  static async open(
    folder: string,
    { temporalAddress, llm }: { readonly temporalAddress: string; readonly llm: LlmStandIn },
    ledger: Ledger,
    teardown: Teardown,
  ): Promise<RotationGround> {
    const postgres = await teardown.use(startPostgres({ dataFolder: `${folder}/rotations` }));
    const database = await migratedDatabase(postgres.url);
    const operator = 'faults-of-rotations';
    const stage = await openStage({
      ...{ database, temporalAddress, operator, operationsTaskQueue: ROTATION_QUEUE, teardown },
    });
    const { encryptionKey, grantKeys } = stage;
    const seat = new Seat('operations-of-rotation-faults', {
      script: 'operations',
      settings: () => ({
        ...{ databaseUrl: database.managerUrl, encryptionKey, grantKeySet: grantKeys.keySet, temporalAddress },
        taskQueue: ROTATION_QUEUE,
      }),
      onMessage: (message) => ledger.take(message),
      onCrash: (how) => void ledger.oddities.push(how),
    });
    teardown.defer(() => seat.kill());
    await seat.start();
    const resolver = await ProviderResolver.connect({
      ...{ databaseUrl: database.resolverUrl, rootKeys: encryptionKey, egress: LOOPBACK, lease: LEASE },
      ...{ longestStep: LONGEST_STEP, identity: 'rotation-faults', env: {} },
    });
    teardown.defer(() => resolver.close());
    await patiently(() => rotateDueOften(stage.operator));
    const owner = new pg.Pool({ connectionString: database.ownerUrl, max: 2 });
    teardown.defer(() => owner.end());
    return new RotationGround(stage, llm, resolver, owner);
  }

  /** Adds a provider whose service issues the next key, so that it can be rotated whenever it is due. */
  async newProvider(): Promise<ProviderIdentity> {
    const workspaceId = `ws_${randomUUID()}`;
    const [apiKey, adminKey] = [`canary-of-faults/${workspaceId}/1`, `canary-of-faults/${workspaceId}/admin`];
    const baseURL = this.llm.baseUrls.openai.sdk;
    this.llm.admit({ provider: 'openai', key: apiKey, owner: workspaceId });
    this.llm.admitProjectAdmin({ key: adminKey, owner: workspaceId, project: workspaceId });
    const { manager } = this.stage;
    const unfenced = { fence: false } as const;
    const provider = { workspaceId, type: 'llm', name: 'openai' };
    await manager.configureProvider(
      { ...provider, config: { baseURL, model: 'gpt-5-mini' }, secret: { apiKey } },
      unfenced,
    );
    await manager.configureProvider(
      { ...provider, type: 'llm-admin', config: { project: workspaceId, baseURL }, secret: { adminKey } },
      unfenced,
    );
    return provider;
  }

  /** Starts a rotation, also if Temporal does not answer at first. */
  async rotate(provider: ProviderIdentity, options: Omit<RotateInput, keyof ProviderIdentity> = {}) {
    const { rotations } = this.stage;
    return patiently(async () => {
      try {
        return await rotations.rotate({ ...provider, drainLimit: '1m', ...options });
      } catch (error) {
        // A start without an answer: the rotation runs, or was staged within the last minute by this caller.
        if (!isProviderError(error, 'RotationInProgress')) throw error;
        await rotations.status(provider);
        return rotations.handleOf(provider);
      }
    });
  }

  /** Waits until the row of the provider's rotation says so. It asks Postgres, because a query costs Temporal much more. */
  async until(provider: ProviderIdentity, isSo: (row: RotationRow) => boolean): Promise<void> {
    await patiently(async () => {
      const row = (await this.rows(provider)).at(-1);
      if (!row || !isSo(row)) throw new Error(`the rotation is ${row?.state ?? 'not there'}`);
    }, POLL_MS);
  }

  /** Holds the next call to the service in the name of that workspace. */
  async holdService(provider: ProviderIdentity): Promise<Held> {
    const hold = this.llm.holdNext({ owner: provider.workspaceId });
    const handle = await this.rotate(provider);
    await inTime(hold.arrived);
    return { handle, release: async () => hold.release() };
  }

  /** Registers a worker that never answers. It is gone after the returned function. */
  async silentWorker(): Promise<() => Promise<void>> {
    const store = openProviderStore({ databaseUrl: this.stage.database.resolverUrl });
    const workerId = randomUUID();
    const facts = { taskQueue: 'none', identity: 'silent', build: '0' };
    await store.registerWorker({ workerId, ...facts, leaseMs: SILENT_LEASE_MS, longestStepMs: 1_000 });
    return async () => {
      await store.deregisterWorker(workerId);
      await store.close();
    };
  }

  /** Holds the credential that is served now, in a step that ends with the returned function. */
  async step({ workspaceId, name }: ProviderIdentity): Promise<() => void> {
    const reference = await patiently(() => this.resolver.resolveLlmKey({ workspaceId, provider: name }));
    return holdCredential(this.resolver, reference);
  }

  async rows({ workspaceId }: ProviderIdentity): Promise<readonly RotationRow[]> {
    const { rows } = await this.owner.query<RotationRow>(
      `select state, reason, rolled_back as "rolledBack", ended_at is not null as ended,
        num_nonnulls(next_encrypted_config, previous_encrypted_config) as sealed
      from provider_rotations where workspace_id = $1 order by created_at, rotation_id`,
      [workspaceId],
    );
    return rows;
  }

  async makeDue({ workspaceId, name }: ProviderIdentity): Promise<void> {
    const text = `update workspace_providers set rotate_every = '30 days', rotated_at = now() - interval '31 days'
      where workspace_id = $1 and provider_type = 'llm' and provider_name = $2`;
    await this.owner.query(text, [workspaceId, name]);
  }

  async versionOf({ workspaceId, type }: ProviderIdentity): Promise<number> {
    const listed = await this.stage.manager.listProviders(workspaceId);
    return listed.find((each) => each.type === type)?.version ?? 0;
  }
}

/** The package's own schedule runs at most once a minute. */
async function rotateDueOften(operator: Client): Promise<void> {
  try {
    await operator.schedule.create({
      scheduleId: ROTATION_QUEUE,
      spec: { intervals: [{ every: DUE_EVERY_MS }] },
      action: {
        type: 'startWorkflow',
        ...{ workflowId: ROTATION_QUEUE, workflowType: ROTATE_DUE_PROVIDERS, taskQueue: ROTATION_QUEUE, args: [{}] },
        workflowTaskTimeout: '2 seconds',
      },
    });
  } catch (error) {
    // An earlier attempt, whose answer was lost.
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
}

/** Retries until it works. @throws the last failure after a minute */
export async function patiently<Result>(run: () => Promise<Result>, pauseMs?: number): Promise<Result> {
  return inTime(untilItWorks(run, AbortSignal.timeout(PATIENCE_MS), pauseMs), PATIENCE_MS + 10_000);
}

/** @throws if the work takes longer */
async function inTime<Result>(work: Promise<Result>, limitMs = PATIENCE_MS): Promise<Result> {
  const ended = new AbortController();
  const late = delay(limitMs, undefined, { signal: ended.signal }).then(() => {
    throw new Error(`did not end within ${limitMs / 1_000} s`);
  });
  late.catch(() => {});
  return Promise.race([work, late]).finally(() => ended.abort());
}
