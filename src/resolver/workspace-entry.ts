/**
 * The providers of one workspace, as of one database snapshot. A row is opened when it is first used, and the result is
 * kept as long as the entry. A row that does not open fails at each attempt, and does not affect the others.
 */
import { isProviderError, ProviderError } from '../protocol/errors.js';
import { describeProvider } from '../protocol/names.js';
import type { ProviderIdentity, ProviderReference } from '../protocol/references.js';
import type { ParsedProvider, ProviderService } from '../providers/parse-provider.js';
import type { ProviderTypes } from '../providers/provider-types.js';
import { ownedBy } from '../redaction/opened-secrets.js';
import { parseJson } from '../redaction/parse-json.js';
import type { Sealer } from '../sealing/sealer.js';
import type { ProviderRecord, WorkspaceSnapshot } from '../store/ports.js';
import type { ResolverAudit } from './use-audit.js';

/** A provider with its plaintext credential: only in this process, and only as long as its entry. */
export interface OpenedProvider<Credential = unknown> {
  /** The reference that a cache hit returns: frozen, and the same object each time. */
  readonly reference: ProviderReference;
  readonly credential: Credential;
  readonly service: ProviderService;
}

/** A row, and what it was opened to. */
export class SealedProvider {
  /** Set once the row was opened. */
  opened: OpenedProvider | undefined;
  #opening: Promise<OpenedProvider> | undefined;
  readonly type: string;
  readonly name: string;
  readonly active: boolean;

  constructor(
    readonly identity: ProviderIdentity,
    readonly record: ProviderRecord,
    private readonly types: ProviderTypes,
    private readonly unseal: () => Promise<string>,
    private readonly onOpened: (opened: OpenedProvider) => void,
  ) {
    this.type = record.type;
    this.name = record.name;
    this.active = record.status === 'active';
  }

  /** @throws ProviderError `CredentialUnreadable`, `ProviderConfigInvalid`, `KeyServiceUnavailable` */
  open(): Promise<OpenedProvider> {
    if (this.opened) return Promise.resolve(this.opened);
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #open(): Promise<OpenedProvider> {
    const secret = parseSecret(this.identity, await this.unseal());
    const { type, name, config, version } = this.record;
    const { workspaceId } = this.identity;
    const parsed = ownedBy(workspaceId, () => this.types.parse(type, name, config, secret, workspaceId));
    this.opened = toOpened(this.identity, parsed, version, 'workspace');
    if (this.active) this.onOpened(this.opened);
    return this.opened;
  }
}

export interface EntryDependencies {
  readonly sealer: Pick<Sealer, 'open'>;
  readonly types: ProviderTypes;
  /** Default: nothing is recorded. */
  readonly audit?: ResolverAudit;
}

export class WorkspaceEntry {
  readonly #providers: readonly SealedProvider[];
  #onOpened: (reference: ProviderReference) => void = () => {};
  /** The number of providers, at least 1: the size of the entry in the cache. */
  readonly size: number;
  readonly epoch: number;
  readonly lineage: string | undefined;

  constructor(
    workspaceId: string,
    snapshot: WorkspaceSnapshot,
    { sealer, types, audit }: EntryDependencies,
    /** When the entry was loaded, by the monotonic clock. */
    readonly loadedAtMs: number,
  ) {
    this.epoch = snapshot.epoch;
    this.lineage = snapshot.lineage;
    // What steps may not open is not kept: no reference, however it was made, leads to it.
    const records = snapshot.providers.filter(({ type }) => types.isStepType(type));
    this.size = Math.max(1, records.length);
    this.#providers = records.map((record) => {
      const identity: ProviderIdentity = { workspaceId, type: record.type, name: record.name };
      const unseal = async () => {
        const place = { ...identity, destination: types.destinationOf(record.type, record.name, record.config) };
        return sealer.open(place, record.encryptedConfig, snapshot.dataKeys).catch((error: unknown) => {
          if (isProviderError(error, 'CredentialUnreadable')) audit?.unreadable(identity, record.version);
          throw error;
        });
      };
      return new SealedProvider(identity, record, types, unseal, ({ reference }) => this.#onOpened(reference));
    });
  }

  /** Calls back for each active provider that is opened, once, those that were opened before included. */
  onOpened(callback: (reference: ProviderReference) => void): void {
    this.#onOpened = callback;
    for (const { active, opened } of this.#providers) if (active && opened) callback(opened.reference);
  }

  /** Searches a list, because a workspace has few providers. */
  find(type: string, name: string): SealedProvider | undefined {
    return this.#providers.find((stored) => stored.name === name && stored.type === type);
  }

  ofType(type: string): SealedProvider[] {
    return this.#providers.filter((stored) => stored.type === type);
  }
}

/** A provider that fits its type, as a cache hit returns it. */
export function toOpened(
  { workspaceId, type, name }: ProviderIdentity,
  { credential, shown, service }: ParsedProvider,
  version: number,
  source: ProviderReference['source'],
): OpenedProvider {
  Object.freeze(shown);
  const reference: ProviderReference = Object.freeze({ workspaceId, type, name, version, source, cache: 'hit', shown });
  return { reference, credential, service };
}

function parseSecret(identity: ProviderIdentity, text: string): unknown {
  const secret = parseJson(text);
  if (secret !== undefined) return secret;
  const message = `the sealed config of ${describeProvider(identity)} is not JSON: configure the provider again`;
  throw new ProviderError('ProviderConfigInvalid', message, { provider: identity, fields: ['encrypted_config'] });
}
