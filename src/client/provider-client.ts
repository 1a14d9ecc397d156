/**
 * Manages the providers of workspaces, straight on Postgres. What is written was checked against its type and sealed in
 * this process first. It rests on its login (`provider_manager`): whoever has that and the root key may manage every
 * workspace, so it is for the platform's own services and operators, who say for which workspace they act.
 */
import { isDeepStrictEqual } from 'node:util';
import { type EgressPolicy, PUBLIC_EGRESS } from '../egress/policy.js';
import { awaitFence, type FenceOptions } from '../fence/fence.js';
import { findProvider, notConfigured } from '../management/find-provider.js';
import { checkProvider, type ProviderCheckReport } from '../management/provider-check.js';
import { type RewrapReport, rewrapDataKeys } from '../management/root-key-change.js';
import { Rotations, type RotationsDependencies } from '../management/rotations.js';
import { SecretVault } from '../management/secret-vault.js';
import type { ProviderIdentity } from '../protocol/identity.js';
import { checkIdentity, checkWorkspaceId } from '../protocol/names.js';
import type { ProviderRecord } from '../protocol/records.js';
import type { FenceReport } from '../protocol/rotation.js';
import { checkInterval } from '../protocol/schedules.js';
import type { RegisteredWorker } from '../protocol/workers.js';
import { checkDestination } from '../providers/destination.js';
import { createFetch, type HttpClient } from '../providers/fetch.js';
import { type ParsedProvider, parseProvider } from '../providers/index.js';
import { Sealer } from '../sealing/sealer.js';
import type { ProviderAudit } from '../store/audit-store.js';
import { type ManagementStore, openManagementStore } from '../store/management-store.js';
import type { RotationSummary } from '../store/rotation-store.js';
import { type ProviderClientConfig, providerClientConfigFromEnv } from './client-config.js';
import { changeProvider, type ProviderChange } from './provider-change.js';
import { type ProviderSummary, summarize } from './provider-summary.js';

export interface ConfigureProviderInput extends ProviderIdentity {
  /** Public. Default: no fields. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** In the clear; sealed before it leaves this process. */
  readonly secret: Readonly<Record<string, unknown>>;
}

export interface UpdateProviderInput extends ProviderChange {
  readonly identity: ProviderIdentity;
  /** The version that the change was made from. Absent: the one that is there now. */
  readonly expectedVersion?: number;
}

/** A provider as it was just written. */
export interface WrittenProvider extends ProviderIdentity {
  readonly version: number;
  /** Facts fit to show: masked key, host, chain id. */
  readonly shown: Readonly<Record<string, string | number>>;
}

interface Parts {
  readonly store: ManagementStore;
  readonly sealer: Sealer;
  readonly http: HttpClient;
  readonly egress: EgressPolicy;
}

/** For the service to unmake a key: whoever rotates again waits for it. */
const ABANDON_TIMEOUT_MS = 15_000;

/**
 * Every method throws ProviderError `StoreUnavailable` where Postgres is away, `KeyServiceUnavailable` where the
 * root-key service is, and `ProviderConfigInvalid`, naming fields and never values, for input that does not fit.
 * Nothing is written then.
 *
 * @example
 * const providers = ProviderClient.fromEnv();
 * await providers.configureProvider({ workspaceId: 'ws_acme', type: 'llm', name: 'anthropic', secret: { apiKey } });
 * await providers.close();
 */
export class ProviderClient {
  readonly #store: ManagementStore;
  readonly #sealer: Sealer;
  readonly #vault: SecretVault;
  readonly #http: HttpClient;
  readonly #egress: EgressPolicy;

  private constructor({ store, sealer, http, egress }: Parts) {
    this.#store = store;
    this.#sealer = sealer;
    this.#vault = new SecretVault(sealer, store);
    this.#http = http;
    this.#egress = egress;
  }

  /** Connects to Postgres at the first call, not before. */
  static connect({ store, rootKeyring, egress = PUBLIC_EGRESS }: ProviderClientConfig): ProviderClient {
    return new ProviderClient({
      store: openManagementStore(store),
      sealer: new Sealer(rootKeyring),
      http: createFetch({ egress }),
      egress,
    });
  }

  /** @param env - default: the process's own; see `docs/configuration.md` */
  static fromEnv(env: NodeJS.ProcessEnv = process.env): ProviderClient {
    return ProviderClient.connect(providerClientConfigFromEnv(env));
  }

  /**
   * This client for somebody whom the audit is to name, who was authenticated elsewhere: else it names the database's
   * login. Both share what they are connected with: closing one closes both.
   *
   * @param actor - 1 to 200 characters: `user:ana@acme`, `cli:ana@ops-1`
   */
  actingAs(actor: string): ProviderClient {
    const store = this.#store.actingAs(actor);
    return new ProviderClient({ store, sealer: this.#sealer, http: this.#http, egress: this.#egress });
  }

  /** Adds a provider, or replaces config and secret of the one that is there. One that is disabled stays so. */
  async configureProvider({ config = {}, secret, ...identity }: ConfigureProviderInput): Promise<WrittenProvider> {
    checkIdentity(identity);
    const parsed = parseProvider(identity.type, identity.name, config, secret);
    checkDestination(identity, parsed.destination, this.#egress);
    const workspace = await this.#store.readWorkspace(identity.workspaceId);
    return this.#write(identity, parsed, await this.#vault.seal(identity, parsed.secret, workspace));
  }

  /** The workspace's providers by type and name; one that does not open is listed as not readable. */
  async getProviders(workspaceId: string): Promise<ProviderSummary[]> {
    const rows = await this.#store.listProviders(checkWorkspaceId(workspaceId));
    // Read after the rows, so that no row is sealed under a key that is not in the list yet.
    const { dataKeys } = await this.#store.readWorkspace(workspaceId);
    return Promise.all(rows.map((row) => summarize(workspaceId, row, dataKeys, this.#vault)));
  }

  /**
   * Changes the fields that are given. Where the change would send the secret to another address, every secret field
   * must be given in the clear.
   *
   * @throws ProviderError `ProviderNotConfigured`, `CredentialUnreadable` where what is stored does not open,
   *   `ProviderConfigInvalid` also for a mask that is not the present one, and where the provider is not at
   *   `expectedVersion` or was changed meanwhile
   */
  async updateProvider({ identity, expectedVersion, ...change }: UpdateProviderInput): Promise<WrittenProvider> {
    const workspace = await this.#store.readWorkspace(checkIdentity(identity).workspaceId);
    const record = findProvider(identity, workspace);
    const secret = await this.#vault.open(identity, record.encryptedConfig, workspace.dataKeys);
    const parsed = changeProvider(identity, { config: record.config, secret }, change);
    checkDestination(identity, parsed.destination, this.#egress);
    // Sealed anew it would count as rotated.
    const encryptedConfig = isDeepStrictEqual(parsed.secret, secret)
      ? record.encryptedConfig
      : await this.#vault.seal(identity, parsed.secret, workspace);
    return this.#write(identity, parsed, encryptedConfig, expectedVersion ?? record.version);
  }

  /** A provider that is `disabled` keeps all that it has, and is served to nobody. @throws `ProviderNotConfigured` */
  async setStatus(identity: ProviderIdentity, status: ProviderRecord['status']): Promise<{ readonly version: number }> {
    return this.#store.setStatus(checkIdentity(identity), status);
  }

  /** @throws ProviderError `ProviderNotConfigured` */
  async removeProvider(identity: ProviderIdentity): Promise<void> {
    if (!(await this.#store.removeProvider(checkIdentity(identity)))) throw notConfigured(identity);
  }

  /**
   * Asks the live service, by a call that costs nothing, and records what it found out. Also of a disabled provider.
   *
   * @throws ProviderError `ProviderNotConfigured`, `CredentialUnreadable`, `ProviderConfigInvalid` where the service
   *   shows that the config is wrong, as an RPC endpoint of another chain does
   */
  checkProvider(identity: ProviderIdentity): Promise<ProviderCheckReport> {
    return checkProvider(identity, this.#management);
  }

  /**
   * Waits until no worker serves what was before: every change that was committed before the call is fenced when this
   * returns. It takes milliseconds where the workers answer, else as long as the lease of the one that does not.
   */
  awaitFence(options: Pick<FenceOptions, 'signal' | 'onProgress'> = {}): Promise<FenceReport> {
    return awaitFence({ registry: this.#store, ...options });
  }

  /** Raised by each change of a provider, in the order of their commits: workers tell how far they have come by it. */
  readEpoch(): Promise<number> {
    return this.#store.readEpoch();
  }

  /** The workers that hold leases, and those that vanished lately. */
  listWorkers(): Promise<readonly RegisteredWorker[]> {
    return this.#store.listWorkers();
  }

  /** Rotations, the newest first. @param workspaceId - absent: of all workspaces */
  listRotations(workspaceId?: string, limit = 50): Promise<readonly RotationSummary[]> {
    return this.#store.listRotations(workspaceId && checkWorkspaceId(workspaceId), limit);
  }

  /** What `RotationClient` starts rotations with. */
  get rotations(): Rotations {
    return new Rotations(this.#management);
  }

  /** What happened to providers, and which workflows used them. */
  get audit(): ProviderAudit {
    return this.#store.audit;
  }

  /** Of how many overdue rotations a person was told, who has done nothing yet; of all workspaces. */
  countOverdue(): Promise<number> {
    return this.#store.countOverdue();
  }

  /**
   * From when on its rotation is due, for the schedule that looks after that.
   *
   * @param rotateEvery - since the credential was last replaced: `12 hours`, `90 days`, `6 months`; absent: it is
   *   rotated when somebody asks for it
   * @throws ProviderError `ProviderNotConfigured`
   */
  async setRotationInterval(identity: ProviderIdentity, rotateEvery?: string): Promise<void> {
    await this.#store.setRotationInterval(identity, rotateEvery && checkInterval(rotateEvery));
  }

  /** Ends a rotation whose workflow is gone: it keeps no credential any more. */
  async abandonRotation(rotationId: string, reason: string): Promise<void> {
    await this.rotations.abandon(rotationId, reason, { signal: AbortSignal.timeout(ABANDON_TIMEOUT_MS) });
  }

  /** Wraps every data key under the active root key. What was done stays done: run it again after a failure. */
  rewrapDataKeys(): Promise<RewrapReport> {
    return rewrapDataKeys(this.#store, this.#sealer);
  }

  /**
   * Deletes a workspace's data keys: what it stored can never be opened again, by nobody. Its providers must be
   * configured anew.
   */
  async shredWorkspace(workspaceId: string): Promise<void> {
    await this.#store.deleteDataKeys(checkWorkspaceId(workspaceId));
  }

  /** Waits for statements under way, ends checks. Idempotent. */
  async close(): Promise<void> {
    await Promise.all([this.#store.close(), this.#http.close()]);
  }

  get #management(): RotationsDependencies {
    return { store: this.#store, vault: this.#vault, fetch: this.#http.fetch, egress: this.#egress };
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
