/**
 * Imports many providers: all lines are checked before the first is written, and one fence at the end covers them all.
 * Importing the same again writes only what is missing, so an import that was interrupted is completed by running it
 * again.
 */
import { isProviderError, ProviderError } from '../protocol/errors.js';
import { describeProvider } from '../protocol/names.js';
import type { ManagementStore } from '../store/management-store.js';
import type { WrappedDataKey } from '../store/ports.js';
import { type ChangeOptions, fenceChange } from './change-fence.js';
import type { ImportSource } from './import-lines.js';
import {
  BATCH,
  type ExistingProviders,
  type ImportPlan,
  type PlanDependencies,
  type PlannedWrite,
  planImport,
} from './import-plan.js';
import type { Fenced } from './provider-inputs.js';
import type { SecretVault } from './secret-vault.js';

/** How far an import is. */
export interface ImportProgress {
  readonly stage: 'checking' | 'writing';
  /** The number of providers that were checked, or written. */
  readonly done: number;
  /** The number of providers to write. Absent while they are checked. */
  readonly total?: number;
}

export interface ImportOptions extends ChangeOptions<ImportReport> {
  /**
   * What to do about a provider that exists with another config or secret: `refuse` the whole import, `replace` the
   * provider, or `skip` it. One that exists with the same config and secret is left as it is. Default: `refuse`.
   */
  readonly existing?: ExistingProviders;
  /** Checks everything, and writes nothing: the report has what would be done. Default: false. */
  readonly dryRun?: boolean;
  /** Called after each batch. */
  readonly onImport?: (progress: ImportProgress) => void;
}

export interface ImportReport extends Fenced {
  /** The number of providers in the input. */
  readonly providers: number;
  readonly added: number;
  readonly replaced: number;
  /** The number that existed with the same config and secret. */
  readonly unchanged: number;
  /** The number that existed and were left as they were, because of `existing: 'skip'`. */
  readonly skipped: number;
  /** False if `signal` ended the import before everything was written: import the same again for the rest. */
  readonly complete: boolean;
}

export async function importProviders(
  source: ImportSource,
  dependencies: PlanDependencies,
  { existing = 'refuse', dryRun = false, onImport = () => {}, ...change }: ImportOptions = {},
): Promise<ImportReport> {
  const onChecked = (done: number) => onImport({ stage: 'checking', done });
  const plan = await planImport(source, dependencies, { existing, signal: change.signal, onChecked });
  if (dryRun) return fenceChange(dependencies.store, async () => planned(plan), { ...change, fence: false });
  const writer = new Writer(plan, dependencies, existing);
  return fenceChange(dependencies.store, () => writer.write(onImport, change.signal), change);
}

function planned({ writes, ...plan }: ImportPlan): ImportReport {
  const replaced = writes.filter(({ replaces }) => replaces).length;
  return { ...totals(plan), added: writes.length - replaced, replaced, complete: true };
}

function totals({ providers, unchanged, skipped }: Omit<ImportPlan, 'writes'>) {
  return { providers, unchanged, skipped };
}

class Writer {
  #added = 0;
  #replaced = 0;
  #skipped = 0;

  constructor(
    private readonly plan: ImportPlan,
    private readonly dependencies: { readonly store: ManagementStore; readonly vault: SecretVault },
    private readonly existing: ExistingProviders,
  ) {}

  async write(onImport: (progress: ImportProgress) => void, signal?: AbortSignal): Promise<ImportReport> {
    const { writes } = this.plan;
    let done = 0;
    try {
      for (; done < writes.length && !signal?.aborted; done += BATCH) {
        await this.#writeBatch(writes.slice(done, done + BATCH));
        onImport({ stage: 'writing', done: Math.min(done + BATCH, writes.length), total: writes.length });
      }
    } catch (error) {
      throw this.#unfinished(error);
    }
    const { skipped, ...others } = totals(this.plan);
    const complete = done >= writes.length;
    return { ...others, added: this.#added, replaced: this.#replaced, skipped: skipped + this.#skipped, complete };
  }

  async #writeBatch(batch: readonly PlannedWrite[]): Promise<void> {
    const sealed = await this.#underStoredKeys(batch);
    const onlyIfAbsent = this.existing !== 'replace';
    const written = await this.dependencies.store.putProviders(
      sealed.map(({ identity, config, encryptedConfig }) => ({ ...identity, config, encryptedConfig, onlyIfAbsent })),
    );
    const late = batch.filter((_, index) => !written[index]);
    this.#replaced += batch.filter(({ replaces }) => replaces).length;
    this.#added += batch.filter(({ replaces }) => !replaces).length - late.length;
    this.#skipped += late.length;
    const [first] = late;
    if (first && this.existing === 'refuse') throw configuredMeanwhile(first);
  }

  /** Stores the new data keys of the batch. Another caller may have been first: what its workspace stores is sealed again. */
  async #underStoredKeys(batch: readonly PlannedWrite[]): Promise<readonly PlannedWrite[]> {
    const workspaceIds = [...new Set(batch.map(({ identity }) => identity.workspaceId))];
    const keys = workspaceIds.flatMap((workspaceId) => {
      const key = this.plan.newDataKeys.get(workspaceId);
      return key ? [{ workspaceId, ...key }] : [];
    });
    if (keys.length === 0) return batch;
    const active = await this.dependencies.store.addDataKeys(keys);
    const stored = new Map(keys.map(({ workspaceId }, index) => [workspaceId, active[index]]));
    return Promise.all(batch.map((write) => this.#sealUnder(stored.get(write.identity.workspaceId), write)));
  }

  async #sealUnder(stored: WrappedDataKey | undefined, write: PlannedWrite): Promise<PlannedWrite> {
    const { identity, encryptedConfig, dataKey } = write;
    if (!stored || stored.kid === dataKey.kid) return write;
    const opened = await this.dependencies.vault.openWithDestination(identity, encryptedConfig, [dataKey]);
    return { ...write, encryptedConfig: await this.dependencies.vault.sealUnder(stored, identity, opened) };
  }

  #unfinished(error: unknown): unknown {
    const written = this.#added + this.#replaced;
    if (!isProviderError(error)) return error;
    const { length } = this.plan.writes;
    const state = `${written} of ${length} providers were imported; import the same again for the rest`;
    return new ProviderError(error.type, `${state}: ${error.message}`, error.facts);
  }
}

function configuredMeanwhile({ identity }: PlannedWrite): ProviderError {
  return new ProviderError(
    'ProviderChanged',
    `${describeProvider(identity)} was configured by another caller at the same time, and was left as it is`,
    { provider: identity },
  );
}
