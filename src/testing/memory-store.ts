/** The providers of a test, in place of the table. */
import { ProviderError } from '../protocol/errors.js';
import type { FailureType } from '../protocol/failure-types.js';
import { checkWorkspaceId, describeProvider } from '../protocol/names.js';
import type { ProviderIdentity } from '../protocol/references.js';
import type { ProviderTypes } from '../providers/provider-types.js';
import type { WorkspaceSnapshot } from '../store/ports.js';

/** The fields of config and secret of a provider, together. */
export type TestProvider = Readonly<Record<string, unknown>>;

interface Row {
  readonly identity: ProviderIdentity;
  readonly config: Readonly<Record<string, unknown>>;
  readonly secret: Readonly<Record<string, unknown>>;
  readonly status: 'active' | 'disabled';
  readonly version: number;
}

export class MemoryStore {
  readonly #rows = new Map<string, Row>();
  readonly #failures = new Map<string, FailureType>();

  constructor(private readonly types: ProviderTypes) {}

  /** @throws ProviderError `ProviderConfigInvalid` if the fields do not fit the type */
  put(identity: ProviderIdentity, fields: TestProvider): void {
    checkWorkspaceId(identity.workspaceId);
    const { type, name } = identity;
    const parts = this.#split(type, fields);
    this.types.parse(type, name, parts.config, parts.secret);
    const version = (this.#rows.get(describeProvider(identity))?.version ?? 0) + 1;
    this.#rows.set(describeProvider(identity), { identity, ...parts, status: 'active', version });
  }

  disable(identity: ProviderIdentity): void {
    const row = this.#rows.get(describeProvider(identity));
    if (row) this.#rows.set(describeProvider(identity), { ...row, status: 'disabled', version: row.version + 1 });
  }

  remove(identity: ProviderIdentity): void {
    this.#rows.delete(describeProvider(identity));
  }

  /** The next read of the workspace fails. */
  failNext(identity: ProviderIdentity, type: FailureType): void {
    this.#failures.set(describeProvider(identity), type);
  }

  readonly readWorkspace = async (workspaceId: string): Promise<WorkspaceSnapshot> => {
    const rows = [...this.#rows.values()].filter(({ identity }) => identity.workspaceId === workspaceId);
    for (const { identity } of rows) this.#throwFailure(identity);
    const providers = rows.map(({ identity: { type, name }, config, secret, status, version }) => ({
      ...{ type, name, config, status, version, encryptedConfig: JSON.stringify(secret) },
    }));
    return { epoch: 0, dataKeys: [], providers };
  };

  /** Nothing is sealed here. */
  readonly open = async (_identity: ProviderIdentity, encryptedConfig: string): Promise<string> => encryptedConfig;

  /** The provider whose secret is in the text. */
  ownerOf(text: string): ProviderIdentity | undefined {
    const rows = [...this.#rows.values()];
    return rows.find(({ secret }) => Object.values(secret).some((value) => text.includes(String(value))))?.identity;
  }

  #throwFailure(identity: ProviderIdentity): void {
    const type = this.#failures.get(describeProvider(identity));
    if (!type) return;
    this.#failures.delete(describeProvider(identity));
    throw new ProviderError(type, `${describeProvider(identity)} fails as the test asked`, { provider: identity });
  }

  #split(type: string, fields: TestProvider) {
    const { secret } = this.types.get(type);
    const isSecret = ([field]: readonly [string, unknown]) => Object.hasOwn(secret, field);
    const all = Object.entries(fields);
    return {
      config: Object.fromEntries(all.filter((field) => !isSecret(field))),
      secret: Object.fromEntries(all.filter(isSecret)),
    };
  }
}
