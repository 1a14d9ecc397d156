/**
 * Manages the providers of workspaces, directly in Postgres. A provider is checked against its type and sealed in this
 * process before it is written. A service that has the login (`provider_manager`) and the root key can manage every
 * workspace. So the client is for the platform's own services and operators, who name the workspace that they act for.
 */
import type { Duration } from '../config/duration.js';
import { type ManagerConfig, type ProviderClientOptions, readManagerConfig } from '../config/manager-config.js';
import { BUILD } from '../config/package-version.js';
import { CHECK_LIMITS, createFetch, type HttpClient } from '../egress/http-client.js';
import { Observer } from '../observer/observer.js';
import { checkIdentity, checkWorkspaceId, notConfigured } from '../protocol/names.js';
import type { ProviderIdentity } from '../protocol/references.js';
import type { FenceReport, RotationRuns } from '../protocol/rotation.js';
import type { ParsedProvider } from '../providers/parse-provider.js';
import { Sealer } from '../sealing/sealer.js';
import type { ProviderAudit } from '../store/audit-store.js';
import { type ManagementStore, openManagementStore } from '../store/management-store.js';
import type { HeldQuestion, ProviderRecord, RegisteredWorker } from '../store/ports.js';
import type { RotationSummary } from '../store/rotation-store.js';
import { listenWithOpenTelemetry } from '../telemetry/opentelemetry.js';
import { ABANDON_TIMEOUT_MS, endAbandoned } from './abandoned-rotations.js';
import { type ChangeOptions, type FenceWait, fenceChange, waitForFence, withHolders } from './change-fence.js';
import { checkInput } from './checked-input.js';
import { continueAfterRestore } from './continue-after-restore.js';
import { checkInterval } from './due-rotation.js';
import type { ImportSource } from './import-lines.js';
import { type ImportOptions, type ImportReport, importProviders } from './import-providers.js';
import { checkProvider, type ProviderCheckReport } from './provider-check.js';
import type {
  ChangedProvider,
  ConfigureProviderInput,
  Fenced,
  UpdateProviderInput,
  WrittenProvider,
} from './provider-inputs.js';
import { listSummaries, type ProviderSummary } from './provider-summary.js';
import { prepareUpdate } from './provider-update.js';
import { type RewrapReport, rewrapDataKeys } from './rewrap-data-keys.js';
import { type ManagementParts, RotationCredentials, type StageRotationInput } from './rotation-credentials.js';
import { SecretVault } from './secret-vault.js';

/** What a client and those that act for others share. */
interface SharedParts extends Pick<ManagementParts, 'egress' | 'types'> {
  readonly sealer: Sealer;
  readonly http: HttpClient;
  readonly observer: Observer;
}

/**
 * Manages the providers of workspaces. Every method throws ProviderError `StoreUnavailable` if Postgres cannot be
 * reached, `KeyServiceUnavailable` if the root-key service cannot, and `ProviderConfigInvalid`, naming fields and never
 * values, for input that does not fit. Nothing is written then.
 *
 * A method that changes a provider returns when no worker serves the older version, unless `fence: false` or a limit is
 * given. If Postgres cannot be reached during that wait, it throws `StoreUnavailable`; the message says that the change
 * was made.
 *
 * @example
 * const providers = await ProviderClient.connect();
 * await providers.configureProvider({ workspaceId: 'ws_acme', type: 'llm', name: 'anthropic', secret: { apiKey } });
 * await providers.close();
 */
export class ProviderClient {
  readonly #store: ManagementStore;
  readonly #sealer: Sealer;
  readonly #http: HttpClient;
  readonly #parts: ManagementParts;
  readonly #observer: Observer;
  #endTelemetry = () => {};

  private constructor(store: ManagementStore, shared: SharedParts) {
    const { sealer, http, egress, types, observer } = shared;
    this.#observer = observer;
    this.#store = store;
    this.#sealer = sealer;
    this.#http = http;
    const vault = new SecretVault(sealer, store, types);
    this.#parts = { store, vault, fetch: http.fetch, egress, types, observer };
  }

  /**
   * Connects to Postgres and checks the login.
   *
   * @param options - what is absent is read from the environment: docs/configuration.md
   * @throws ProviderError `SetupInvalid` for a setting or a login that does not fit, `StoreUnavailable`
   */
  static async connect(options: ProviderClientOptions = {}): Promise<ProviderClient> {
    const client = ProviderClient.open(readManagerConfig(options));
    try {
      await client.#store.preflight();
      client.#endTelemetry = listenWithOpenTelemetry(client.#observer, { version: BUILD });
      return client;
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  /** Connects at the first call, and checks the login then. @internal */
  static open({ database, rootKeyring, egress, types }: ManagerConfig): ProviderClient {
    const observer = new Observer();
    const http = createFetch({ egress, limits: CHECK_LIMITS, observer });
    const store = openManagementStore({ ...database, observer });
    return new ProviderClient(store, { sealer: new Sealer(rootKeyring), http, egress, types, observer });
  }

  /**
   * Returns a client whose changes the audit records under the name of an actor, whom the caller has authenticated. The
   * default is the login of the database. Both clients share their connections: closing one closes both.
   *
   * @param actor - 1 to 200 characters: `user:ana@acme`, `cli:ana@ops-1`
   */
  actingAs(actor: string): ProviderClient {
    const shared = { ...this.#parts, sealer: this.#sealer, http: this.#http, observer: this.#observer };
    return new ProviderClient(this.#store.actingAs(actor), shared);
  }

  /** Adds a provider, or replaces config and secret of an existing one. A disabled provider stays disabled. */
  async configureProvider(
    { workspaceId, type, name, config, secret }: ConfigureProviderInput,
    options?: ChangeOptions<WrittenProvider>,
  ): Promise<WrittenProvider> {
    const identity = { workspaceId, type, name };
    const parsed = checkInput({ ...identity, ...(config && { config }), secret }, this.#parts);
    const workspace = await this.#store.readWorkspace(workspaceId);
    const encryptedConfig = await this.#parts.vault.seal(identity, parsed, workspace);
    return this.#fenced(() => this.#write(identity, parsed, encryptedConfig), options, identity);
  }

  /**
   * Adds many providers, at most 100,000, with one fence at the end. All of them are checked before the first is
   * written. The writes are transactions of 250 providers: after a failure, import the same again for the rest.
   *
   * @param source - a list of providers, or NDJSON as the stream of a file: one provider per line
   * @throws ProviderError `ProviderConfigInvalid`, whose `facts.lines` has each line that does not fit, and that a
   *   provider is given twice or, by default, exists with another config or secret. The reason of `signal`, if it is
   *   aborted before anything is written
   * @example
   * await providers.importProviders(createReadStream('providers.ndjson'), { existing: 'replace' });
   */
  importProviders(source: ImportSource, options?: ImportOptions): Promise<ImportReport> {
    return importProviders(source, this.#parts, options);
  }

  /** Lists the workspace's providers by type and name. One that does not open is listed as not readable. */
  listProviders(workspaceId: string): Promise<ProviderSummary[]> {
    return listSummaries(workspaceId, this.#parts);
  }

  /**
   * Changes the given fields. If the change would send the secret to another destination, every secret field must be
   * given in plaintext.
   *
   * @throws ProviderError `ProviderNotConfigured`, `CredentialUnreadable` if what is stored does not open,
   *   `ProviderConfigInvalid` also for a mask that is not the current one, `ProviderChanged` if the provider is not at
   *   `expectedVersion`, or was changed meanwhile
   */
  async updateProvider(input: UpdateProviderInput, options?: ChangeOptions<WrittenProvider>): Promise<WrittenProvider> {
    const { parsed, encryptedConfig, expectedVersion } = await prepareUpdate(input, this.#parts);
    return this.#fenced(() => this.#write(input, parsed, encryptedConfig, expectedVersion), options, input);
  }

  /** Disables a provider: it is kept, and no worker serves it. @throws ProviderError `ProviderNotConfigured` */
  disableProvider(identity: ProviderIdentity, options?: ChangeOptions<ChangedProvider>): Promise<ChangedProvider> {
    return this.#setStatus(identity, 'disabled', options);
  }

  /** Enables a disabled provider. @throws ProviderError `ProviderNotConfigured` */
  enableProvider(identity: ProviderIdentity, options?: ChangeOptions<ChangedProvider>): Promise<ChangedProvider> {
    return this.#setStatus(identity, 'active', options);
  }

  /** Deletes a provider. @throws ProviderError `ProviderNotConfigured` */
  async removeProvider(identity: ProviderIdentity, options?: ChangeOptions<Fenced>): Promise<Fenced> {
    const remove = async () => {
      if (await this.#store.removeProvider(checkIdentity(identity))) return {};
      throw notConfigured(identity);
    };
    return this.#fenced(remove, options, identity);
  }

  /**
   * Asks the live service by a call that costs nothing, and records the answer. A disabled provider is checked too.
   *
   * @throws ProviderError `ProviderNotConfigured`, `CredentialUnreadable`, `ProviderConfigInvalid` if the service shows
   *   that the config is wrong, as an RPC endpoint of another chain does
   */
  checkProvider(identity: ProviderIdentity): Promise<ProviderCheckReport> {
    return checkProvider(identity, this.#parts);
  }

  /**
   * Lists rotations, the newest first.
   *
   * @param workspaceId - default: all workspaces
   * @param limit - the largest number of rotations; default: 50
   */
  listRotations(workspaceId?: string, limit = 50): Promise<readonly RotationSummary[]> {
    return this.#store.listRotations(workspaceId, limit);
  }

  /**
   * Keeps the next credential, sealed, until the provider's rotation is due and the schedule `rotate-due` takes it.
   *
   * @returns the rotation's id
   * @throws ProviderError `ProviderNotConfigured`, `RotationInProgress`; `ProviderConfigInvalid` also for the
   *   credential that is stored now
   */
  stageRotation(input: StageRotationInput): Promise<string> {
    return this.rotations.stage(input);
  }

  /** The stages of rotations that touch credentials. @internal */
  get rotations(): RotationCredentials {
    return new RotationCredentials(this.#parts);
  }

  /** What happened to providers, and which workflows used them. */
  get audit(): ProviderAudit {
    return this.#store.audit;
  }

  /** The number of overdue rotations, in all workspaces, that were reported and that nobody has acted on. */
  countOverdue(): Promise<number> {
    return this.#store.countOverdue();
  }

  /**
   * Sets how old a credential may become before its rotation is due, for the schedule `rotate-due`.
   *
   * @param rotateEvery - since the credential was last replaced: `12h`, `90d`; default: it is rotated only on request
   * @throws ProviderError `ProviderNotConfigured`
   */
  async setRotationInterval(identity: ProviderIdentity, rotateEvery?: Duration): Promise<void> {
    await this.#store.setRotationInterval(checkIdentity(identity), rotateEvery && checkInterval(rotateEvery));
  }

  /** Ends a rotation whose workflow is gone, and deletes the credentials that it keeps. */
  async abandonRotation(rotationId: string, reason: string): Promise<void> {
    await this.rotations.abandon(rotationId, reason, { signal: AbortSignal.timeout(ABANDON_TIMEOUT_MS) });
  }

  /** Ends the provider's rotation if its workflow is gone. Returns whether a rotation is running. @internal */
  async endAbandonedRotation(identity: ProviderIdentity, runs: RotationRuns): Promise<boolean> {
    const parts = { store: this.#store, rotations: this.rotations, runs };
    return (await endAbandoned(checkIdentity(identity), parts)).running;
  }

  /** Wraps every data key under the active root key. After a failure, call it again: it continues with the rest. */
  rewrapDataKeys(): Promise<RewrapReport> {
    return rewrapDataKeys(this.#store, this.#sealer);
  }

  /** Deletes a workspace's data keys: nobody can open its secrets any more. Its providers must be configured again. */
  async shredWorkspace(workspaceId: string, options?: ChangeOptions<Fenced>): Promise<Fenced> {
    const shred = () => this.#store.deleteDataKeys(checkWorkspaceId(workspaceId)).then(() => ({}));
    return this.#fenced(shred, options, { workspaceId });
  }

  /** What to do after a restore, or a failover that lost commits: {@link continueAfterRestore}. Safe to run again. */
  afterRestore(options: FenceWait = {}): Promise<FenceReport> {
    return continueAfterRestore(this.#store, options);
  }

  /** Lists the worker processes that hold leases, and those that vanished lately. */
  listWorkers(): Promise<readonly RegisteredWorker[]> {
    return this.#store.listWorkers();
  }

  /** Returns the database's epoch: a worker that has applied it is current. */
  async readEpoch(): Promise<number> {
    return (await this.#store.readEpoch()).epoch;
  }

  /** Waits until every worker has what was committed before the call: for changes by SQL or with `fence: false`. */
  awaitFence(options: FenceWait = {}): Promise<FenceReport> {
    return waitForFence(this.#store, options);
  }

  /** Waits for statements in progress and ends checks. Idempotent. */
  async close(): Promise<void> {
    this.#endTelemetry();
    await Promise.all([this.#store.close(), this.#http.close()]);
  }

  /** @param drained - what steps may still hold an older version of. Default: they are not asked about */
  async #fenced<Changed extends { readonly version?: number }>(
    change: () => Promise<Changed>,
    options?: ChangeOptions<Changed>,
    drained?: HeldQuestion['provider'],
  ): Promise<Changed & Fenced> {
    const changed: Changed & Fenced = await fenceChange(this.#store, change, options, this.#parts.observer);
    return drained && changed.fence?.complete ? withHolders(this.#store, changed, drained) : changed;
  }

  async #setStatus(
    { workspaceId, type, name }: ProviderIdentity,
    status: ProviderRecord['status'],
    options?: ChangeOptions<ChangedProvider>,
  ): Promise<ChangedProvider> {
    const identity = checkIdentity({ workspaceId, type, name });
    const set = async () => ({ ...identity, ...(await this.#store.setStatus(identity, status)) });
    return this.#fenced(set, options, status === 'disabled' ? identity : undefined);
  }

  async #write(
    { workspaceId, type, name }: ProviderIdentity,
    { config, shown }: ParsedProvider,
    encryptedConfig: string,
    expectedVersion?: number,
  ): Promise<WrittenProvider> {
    const identity = { workspaceId, type, name };
    const { version } = await this.#store.putProvider(identity, { config, encryptedConfig, expectedVersion });
    return { ...identity, version, shown };
  }
}
