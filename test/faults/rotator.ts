/**
 * Changes credentials, one change per provider at a time: by rotations, by a plain `UPDATE` of the row, and by
 * disabling and enabling. It follows each change to its end through every outage, and records it in the ledger.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowFailedError } from '@temporalio/client';
import { isProviderError } from '../../src/client.js';
import { findProvider } from '../../src/management/find-provider.js';
import { SecretVault } from '../../src/management/secret-vault.js';
import type { ProviderIdentity } from '../../src/protocol/references.js';
import type { RotationStatus } from '../../src/protocol/rotation.js';
import { ProviderTypes } from '../../src/providers/provider-types.js';
import { parseLocalKeyring } from '../../src/sealing/local-keyring.js';
import { Sealer } from '../../src/sealing/sealer.js';
import { type ManagementStore, openManagementStore } from '../../src/store/management-store.js';
import { withSession } from '../../src/store/session.js';
import { destinationOf } from '../support/built-in-types.js';
import type { Ledger } from './ledger.js';
import { apiKeyOf, keyOf } from './messages.js';
import { untilItWorks } from './parts/patience.js';
import type { Stage } from './stage.js';

const LANES = 4;
/** Short, because a worker may be stopped for long, and "not drained" is a correct result. */
const DRAIN_LIMIT = '30s';
const PAUSE_MS = 200;

interface Row {
  readonly version: number;
  readonly status: string;
  readonly sealed: string;
}

export class Rotator {
  readonly #store: ManagementStore;
  readonly #vault: SecretVault;
  readonly #serials = new Map<string, number>();
  readonly #counted = new Set<string>();

  constructor(
    private readonly stage: Stage,
    private readonly ledger: Ledger,
  ) {
    this.#store = openManagementStore({ databaseUrl: stage.database.managerUrl });
    this.#vault = new SecretVault(
      new Sealer(parseLocalKeyring(stage.encryptionKey)),
      this.#store,
      ProviderTypes.builtIn,
    );
  }

  /** Makes changes until the signal is aborted, and returns once all of them have ended. */
  async run(signal: AbortSignal): Promise<void> {
    const lanes = Array.from({ length: LANES }, (_, lane) =>
      this.#lane(
        this.stage.workspaceIds.filter((_id, index) => index % LANES === lane),
        signal,
      ),
    );
    await Promise.all(lanes).finally(() => this.#store.close());
  }

  async stored(): Promise<{ key: string; version: number }[]> {
    const rows = this.stage.workspaceIds.map(async (workspaceId) => {
      const { version } = await this.#row(workspaceId);
      return { key: keyOf(workspaceId), version };
    });
    return Promise.all(rows);
  }

  async #lane(workspaceIds: readonly string[], signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const workspaceId = workspaceIds[Math.floor(Math.random() * workspaceIds.length)] as string;
      const chance = Math.random();
      if (chance < 0.8) await this.#rotate(workspaceId);
      else if (chance < 0.93) await this.#update(workspaceId);
      else {
        await this.#setStatus(workspaceId, 'disabled');
        await this.#setStatus(workspaceId, 'active');
      }
    }
  }

  async #rotate(workspaceId: string): Promise<void> {
    const provider: ProviderIdentity = { workspaceId, type: 'llm', name: 'anthropic' };
    const apiKey = this.#nextKey(workspaceId);
    const change = this.ledger.begin('rotation', keyOf(workspaceId));
    const status = await this.#rotated(provider, apiKey);
    this.ledger.end(change, status?.toVersion);
    if (!status || this.#counted.has(status.rotationId)) return;
    this.#counted.add(status.rotationId);
    this.ledger.rotations += 1;
    if (status.fence) this.ledger.fenceMs.push(status.fence.tookMs);
    if (status.drain?.drained) this.#revokeOlder(workspaceId);
  }

  /** @returns undefined if it failed, for example because a start that seemed lost had started it already */
  async #rotated(provider: ProviderIdentity, apiKey: string): Promise<RotationStatus | undefined> {
    const { rotations } = this.stage;
    for (;;) {
      try {
        const handle = await rotations.rotate({
          ...{ ...provider, secret: { apiKey }, drainLimit: DRAIN_LIMIT },
        });
        return await this.#followed(handle);
      } catch (error) {
        // An earlier start without an answer: the rotation may be running, or done by now.
        if (isProviderError(error, 'RotationInProgress') || isProviderError(error, 'ProviderConfigInvalid')) {
          return this.#followed(rotations.handleOf(provider));
        }
        await delay(PAUSE_MS);
      }
    }
  }

  async #followed(handle: { result(): Promise<RotationStatus> }): Promise<RotationStatus | undefined> {
    return untilItWorks(() =>
      handle.result().catch((error: unknown) => {
        if (error instanceof WorkflowFailedError) return undefined;
        throw error;
      }),
    );
  }

  /** Updates the row without this project's code, as a person with psql would. */
  async #update(workspaceId: string): Promise<void> {
    const provider: ProviderIdentity = { workspaceId, type: 'llm', name: 'anthropic' };
    const apiKey = this.#nextKey(workspaceId);
    const sealed = await untilItWorks(() => this.#seal(provider, { apiKey }));
    const update = 'update workspace_providers set encrypted_config = $1 where workspace_id = $2';
    await this.#changed('update', workspaceId, {
      make: () => withSession(this.stage.postgres.url, (session) => session.query(update, [sealed, workspaceId])),
      isMade: (row) => row.sealed === sealed,
    });
  }

  /** Seals a secret for the address that the provider has now. */
  async #seal(provider: ProviderIdentity, secret: { readonly apiKey: string }): Promise<string> {
    const workspace = await this.#store.readWorkspace(provider.workspaceId);
    const { config } = findProvider(provider, workspace);
    const destination = destinationOf(provider.type, provider.name, config);
    return this.#vault.seal(provider, { secret, destination }, workspace);
  }

  async #setStatus(workspaceId: string, status: 'active' | 'disabled'): Promise<void> {
    const provider: ProviderIdentity = { workspaceId, type: 'llm', name: 'anthropic' };
    await this.#changed(status, workspaceId, {
      make: () => {
        const { manager } = this.stage;
        const unfenced = { fence: false } as const;
        return status === 'active'
          ? manager.enableProvider(provider, unfenced)
          : manager.disableProvider(provider, unfenced);
      },
      isMade: (row) => row.status === status,
    });
  }

  /** Makes a change, checks whether it was made, and waits for its fence. */
  async #changed(
    id: string,
    workspaceId: string,
    { make, isMade }: { make: () => Promise<unknown>; isMade: (row: Row) => boolean },
  ): Promise<void> {
    const change = this.ledger.begin(id, keyOf(workspaceId));
    let row: Row | undefined;
    // The row has what a lost answer would have contained.
    while (!row || !isMade(row)) {
      await make().catch(() => delay(PAUSE_MS));
      row = await untilItWorks(() => this.#row(workspaceId));
    }
    const { tookMs } = await untilItWorks(() => this.stage.manager.awaitFence());
    this.ledger.end(change, row.version);
    this.ledger.fenceMs.push(tookMs);
  }

  async #row(workspaceId: string): Promise<Row> {
    const { rows } = await withSession(this.stage.postgres.url, (session) =>
      session.query<{ version: string; status: string; encrypted_config: string }>(
        'select version, status, encrypted_config from workspace_providers where workspace_id = $1',
        [workspaceId],
      ),
    );
    const { version, status, encrypted_config: sealed } = rows[0]!;
    return { version: Number(version), status, sealed };
  }

  #nextKey(workspaceId: string): string {
    const serial = (this.#serials.get(workspaceId) ?? 1) + 1;
    this.#serials.set(workspaceId, serial);
    return this.stage.admit(workspaceId, serial);
  }

  /** A step that still used an older key would be rejected, and could not recover by reading again. */
  #revokeOlder(workspaceId: string): void {
    const serial = this.#serials.get(workspaceId) ?? 1;
    for (let older = Math.max(1, serial - 3); older < serial; older += 1)
      this.stage.llm.revoke(apiKeyOf(workspaceId, older));
  }
}
