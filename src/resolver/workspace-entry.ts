/**
 * One workspace's providers as of one database snapshot. Rows are opened when first asked for and the result is kept
 * as long as the entry lives; a row that does not open fails again at each try, and leaves the others alone.
 */
import { isProviderError, ProviderError } from '../protocol/errors.js';
import { describeProvider } from '../protocol/names.js';
import type { ProviderIdentity, ProviderReference } from '../protocol/references.js';
import { type ParsedProvider, parseProvider } from '../providers/registry.js';
import { parseJson } from '../redaction/parse-json.js';
import type { Sealer } from '../sealing/sealer.js';
import type { ProviderRecord, WorkspaceSnapshot } from '../store/ports.js';
import type { ResolverAudit } from './use-audit.js';

/** A provider in the clear: only inside this process, only as long as its entry. */
export interface OpenedProvider<Credential = unknown> {
  /** As a hit returns it; frozen, the same object each time. */
  readonly reference: ProviderReference;
  readonly credential: Credential;
}

/** A row, and what became of it. */
export class SealedProvider {
  /** Set once the row was opened: what a warm read takes. */
  opened: OpenedProvider | undefined;
  #opening: Promise<OpenedProvider> | undefined;
  // Copied from `record`: each object more that a warm read touches costs it a miss of the processor's cache.
  readonly type: string;
  readonly name: string;
  readonly active: boolean;

  constructor(
    readonly identity: ProviderIdentity,
    readonly record: ProviderRecord,
    private readonly unseal: () => Promise<string>,
  ) {
    this.type = record.type;
    this.name = record.name;
    this.active = record.status === 'active';
  }

  /** @throws ProviderError `CredentialUnreadable`, `ProviderConfigInvalid`, `KeyServiceUnavailable` */
  async open(): Promise<OpenedProvider> {
    if (this.opened) return this.opened;
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #open(): Promise<OpenedProvider> {
    const secret = parseSecret(this.identity, await this.unseal());
    const { type, name, config, version } = this.record;
    this.opened = toOpened(this.identity, parseProvider(type, name, config, secret), version, 'workspace');
    return this.opened;
  }
}

export interface EntryDependencies {
  readonly sealer: Pick<Sealer, 'open'>;
  /** Default: nobody is told. */
  readonly audit?: ResolverAudit;
}

export class WorkspaceEntry {
  readonly #providers: readonly SealedProvider[];
  /** How many providers it holds, at least 1: what the cache counts. */
  readonly size: number;
  readonly epoch: number;

  constructor(
    workspaceId: string,
    snapshot: WorkspaceSnapshot,
    { sealer, audit }: EntryDependencies,
    /** By the monotonic clock. */
    readonly loadedAtMs: number,
  ) {
    this.epoch = snapshot.epoch;
    this.size = Math.max(1, snapshot.providers.length);
    this.#providers = snapshot.providers.map((record) => {
      const identity: ProviderIdentity = { workspaceId, type: record.type, name: record.name };
      const unseal = () =>
        sealer.open(identity, record.encryptedConfig, snapshot.dataKeys).catch((error: unknown) => {
          if (isProviderError(error, 'CredentialUnreadable')) audit?.unreadable(identity, record.version);
          throw error;
        });
      return new SealedProvider(identity, record, unseal);
    });
  }

  /** Walks the list: a workspace has a handful of providers, and maps of maps would touch more memory than that. */
  find(type: string, name: string): SealedProvider | undefined {
    return this.#providers.find((stored) => stored.name === name && stored.type === type);
  }

  ofType(type: string): SealedProvider[] {
    return this.#providers.filter((stored) => stored.type === type);
  }
}

/** A provider that fits its type, as a hit returns it. */
export function toOpened(
  { workspaceId, type, name }: ProviderIdentity,
  { credential, shown }: ParsedProvider,
  version: number,
  source: ProviderReference['source'],
): OpenedProvider {
  Object.freeze(shown);
  const reference: ProviderReference = Object.freeze({ workspaceId, type, name, version, source, cache: 'hit', shown });
  return { reference, credential };
}

function parseSecret(identity: ProviderIdentity, text: string): unknown {
  const secret = parseJson(text);
  if (secret !== undefined) return secret;
  throw new ProviderError('ProviderConfigInvalid', `the sealed config of ${describeProvider(identity)} is not JSON`, {
    provider: identity,
    fields: ['encrypted_config'],
  });
}
