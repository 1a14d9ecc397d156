/**
 * The first half of an import: every line is checked, compared with what is stored, and sealed, before anything is
 * written. What is kept of a line is its sealed form, so the plaintexts of a long import are not in memory together.
 */
import { isDeepStrictEqual } from 'node:util';
import type { EgressPolicy } from '../egress/policy.js';
import { isProviderError, type LineProblem, ProviderError } from '../protocol/errors.js';
import { describeProvider } from '../protocol/names.js';
import type { ProviderIdentity } from '../protocol/references.js';
import type { ProviderTypes } from '../providers/provider-types.js';
import type { ManagementStore } from '../store/management-store.js';
import type { ProviderRecord, WorkspaceSnapshot, WrappedDataKey } from '../store/ports.js';
import { type CheckedInput, checkUnknownInput } from './checked-input.js';
import { type ImportLine, type ImportSource, readLines } from './import-lines.js';
import type { SecretVault } from './secret-vault.js';

/** The largest number of providers in an import: each takes about 6 kB of memory until it is written. */
const MAX_PROVIDERS = 100_000;
/** The number of lines that are checked, and of providers that are written, at a time. */
export const BATCH = 250;
/** Of more problems only the number is reported. */
const MAX_PROBLEMS = 1_000;

/** What happens to a provider that exists with another config or secret. */
export type ExistingProviders = 'refuse' | 'replace' | 'skip';

export interface PlanDependencies {
  readonly store: ManagementStore;
  readonly vault: SecretVault;
  readonly egress: EgressPolicy;
  readonly types: ProviderTypes;
}

export interface PlanOptions {
  readonly existing: ExistingProviders;
  readonly signal: AbortSignal | undefined;
  readonly onChecked: (providers: number) => void;
}

export interface PlannedWrite {
  readonly identity: ProviderIdentity;
  readonly config: unknown;
  readonly encryptedConfig: string;
  /** The data key that sealed it. */
  readonly dataKey: WrappedDataKey;
  /** Whether the provider exists and is replaced. */
  readonly replaces: boolean;
}

export interface ImportPlan {
  readonly providers: number;
  readonly writes: readonly PlannedWrite[];
  /** By workspace: data keys that are not stored yet. */
  readonly newDataKeys: ReadonlyMap<string, WrappedDataKey>;
  readonly unchanged: number;
  readonly skipped: number;
}

type NumberedInput = CheckedInput & { readonly line: number };

/**
 * @throws ProviderError `ProviderConfigInvalid` with every line that does not fit; `StoreUnavailable`,
 *   `KeyServiceUnavailable`, `CredentialUnreadable` if a workspace's data key cannot be unwrapped. The signal's reason if
 *   it is aborted
 */
export async function planImport(
  source: ImportSource,
  dependencies: PlanDependencies,
  options: PlanOptions,
): Promise<ImportPlan> {
  const planner = new Planner(dependencies, options);
  let batch: ImportLine[] = [];
  for await (const line of readLines(source)) {
    batch.push(line);
    if (batch.length < BATCH) continue;
    await planner.add(batch);
    batch = [];
  }
  await planner.add(batch);
  return planner.plan();
}

class Planner {
  readonly #seen = new Map<string, number>();
  readonly #writes: PlannedWrite[] = [];
  readonly #newDataKeys = new Map<string, Promise<WrappedDataKey>>();
  readonly #problems: LineProblem[] = [];
  #providers = 0;
  #badLines = 0;
  #unchanged = 0;
  #skipped = 0;
  /** The lines with a provider that exists and differs. */
  #existing = 0;

  constructor(
    private readonly dependencies: PlanDependencies,
    private readonly options: PlanOptions,
  ) {}

  async add(lines: readonly ImportLine[]): Promise<void> {
    this.options.signal?.throwIfAborted();
    this.#providers += lines.length;
    if (this.#providers > MAX_PROVIDERS) {
      throw new ProviderError(
        'ProviderConfigInvalid',
        `an import takes at most ${MAX_PROVIDERS} providers: split it, for example with \`split -l ${MAX_PROVIDERS}\`. ` +
          'Nothing was imported',
      );
    }
    const inputs = lines.flatMap((line) => this.#check(line) ?? []);
    const workspaces = await this.#read(inputs);
    await Promise.all(inputs.map((input) => this.#place(input, workspaces.get(input.identity.workspaceId))));
    this.options.onChecked(this.#providers);
  }

  async plan(): Promise<ImportPlan> {
    if (this.#badLines > 0) throw this.#refusal();
    const keys = [...this.#newDataKeys].map(async ([workspaceId, key]) => [workspaceId, await key] as const);
    return {
      providers: this.#providers,
      // In the order of their keys, so that two imports at once do not deadlock.
      writes: this.#writes.sort((a, b) => compare(a.identity, b.identity)),
      newDataKeys: new Map(await Promise.all(keys)),
      unchanged: this.#unchanged,
      skipped: this.#skipped,
    };
  }

  #check({ line, value, problem }: ImportLine): NumberedInput | undefined {
    if (problem !== undefined) return this.#report(line, [], problem);
    const checked = checkUnknownInput(value, this.dependencies);
    if ('message' in checked) return this.#report(line, checked.fields, checked.message);
    const key = JSON.stringify(checked.identity);
    const first = this.#seen.get(key);
    if (first === undefined) {
      this.#seen.set(key, line);
      return { ...checked, line };
    }
    return this.#report(line, [], `${describeProvider(checked.identity)} is in line ${first} too`);
  }

  async #read(inputs: readonly NumberedInput[]): Promise<ReadonlyMap<string, WorkspaceSnapshot>> {
    const ids = [...new Set(inputs.map(({ identity }) => identity.workspaceId))];
    const snapshots = ids.length > 0 ? await this.dependencies.store.readWorkspaces(ids) : [];
    return new Map(snapshots.map((snapshot, index) => [ids[index] ?? '', snapshot]));
  }

  async #place(input: NumberedInput, workspace?: WorkspaceSnapshot): Promise<void> {
    const { identity, parsed, line } = input;
    const { type, name } = identity;
    const dataKeys = workspace?.dataKeys ?? [];
    const stored = workspace?.providers.find((each) => each.type === type && each.name === name);
    if (stored && this.options.existing === 'skip') {
      this.#skipped += 1;
      return;
    }
    if (stored && (await this.#isSame(input, stored, dataKeys))) {
      this.#unchanged += 1;
      return;
    }
    if (stored && this.options.existing === 'refuse') {
      this.#existing += 1;
      this.#report(line, [], `${describeProvider(identity)} exists with another config or secret`);
      return;
    }
    const dataKey = dataKeys[0] ?? (await this.#newDataKey(identity.workspaceId));
    try {
      const encryptedConfig = await this.dependencies.vault.sealUnder(dataKey, identity, parsed);
      this.#writes.push({ identity, config: parsed.config, encryptedConfig, dataKey, replaces: stored !== undefined });
    } catch (error) {
      if (!isProviderError(error, 'ProviderConfigInvalid')) throw error;
      this.#report(line, error.facts.fields ?? [], error.message);
    }
  }

  /** A credential that does not open is another one. */
  async #isSame(
    { identity, parsed }: CheckedInput,
    stored: ProviderRecord,
    dataKeys: readonly WrappedDataKey[],
  ): Promise<boolean> {
    try {
      const secret = await this.dependencies.vault.open(identity, stored, dataKeys);
      return isDeepStrictEqual([stored.config, secret], [parsed.config, parsed.secret]);
    } catch (error) {
      if (isProviderError(error) && !error.retryable) return false;
      throw error;
    }
  }

  #newDataKey(workspaceId: string): Promise<WrappedDataKey> {
    const known = this.#newDataKeys.get(workspaceId);
    if (known) return known;
    const created = this.dependencies.vault.createDataKey(workspaceId);
    this.#newDataKeys.set(workspaceId, created);
    return created;
  }

  #report(line: number, fields: readonly string[], message: string): undefined {
    this.#badLines += 1;
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push({ line, fields, message });
  }

  #refusal(): ProviderError {
    const lines = this.#problems.toSorted((a, b) => a.line - b.line);
    const more = this.#badLines - lines.length;
    const message = [
      `${this.#badLines} of ${this.#providers} providers cannot be imported. Nothing was imported`,
      ...lines.map(({ line, message }) => `line ${line}: ${message}`),
      more > 0 && `… and ${more} more`,
      this.#existing > 0 &&
        "to replace providers that exist, import with --replace (existing: 'replace'); to leave them as they are, " +
          "with --skip-existing (existing: 'skip')",
    ];
    const fields = [...new Set(lines.flatMap((line) => line.fields))];
    return new ProviderError('ProviderConfigInvalid', message.filter(Boolean).join('\n'), { fields, lines });
  }
}

function compare(a: ProviderIdentity, b: ProviderIdentity): number {
  const [first = '', second = ''] =
    (['workspaceId', 'type', 'name'] as const)
      .map((part) => [a[part], b[part]] as const)
      .find(([one, other]) => one !== other) ?? [];
  return first < second ? -1 : 1;
}
