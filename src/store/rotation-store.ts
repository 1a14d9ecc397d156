/** Rotations, stage by stage. Each call may be repeated: it takes effect once. */
import { ProviderError } from '../protocol/errors.js';
import { describeProvider, notConfigured } from '../protocol/names.js';
import type { ProviderIdentity } from '../protocol/references.js';
import type { BegunRotation, RotationOrigin, RotationState } from '../protocol/rotation.js';
import { call, change, type KeyColumns, keyOf, toIdentity } from './calls.js';
import type { Database, Statement } from './pool.js';

/** A rotation, without its sealed credentials. */
export interface RotationSummary {
  readonly rotationId: string;
  readonly provider: ProviderIdentity;
  readonly state: RotationState;
  readonly origin: RotationOrigin;
  readonly workflowId?: string;
  /** The version that it was staged at. */
  readonly fromVersion: number;
  readonly toVersion?: number;
  readonly rolledBack: boolean;
  readonly reason?: string;
  readonly requestedBy: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly endedAt?: Date;
}

/** A rotation with its sealed credentials. */
export interface RotationRecord extends RotationSummary {
  readonly next?: SealedCredential;
  readonly previous?: SealedCredential;
}

export interface SealedCredential {
  readonly encryptedConfig: string;
  /** The credential's id at the service, if the service issued it for us. */
  readonly keyId?: string;
}

export interface StagedRotation {
  readonly rotationId: string;
  readonly provider: ProviderIdentity;
  /** The version that it was staged at: it begins only at this version. */
  readonly fromVersion: number;
  /** Absent if the service issues one. */
  readonly nextEncryptedConfig?: string;
  /** Whether the caller is about to start its workflow. For a minute, nobody then replaces it. Default: false. */
  readonly startsNow?: boolean;
}

/** A rotation that has begun and not ended. */
export type OpenRotation = Pick<RotationSummary, 'rotationId' | 'provider' | 'state' | 'updatedAt'> & {
  readonly workflowId: string;
};

export interface RotationEnd {
  /** Default: the present state. */
  readonly state?: 'revoked' | 'rolled-back' | 'failed';
  readonly reason?: string;
  /** Whether its workflow was gone before it ended. Default: false. */
  readonly abandoned?: boolean;
}

/** Each method throws ProviderError `StoreUnavailable`, and `RotationFailed` if there is no such rotation. */
export interface RotationStore {
  /**
   * @throws ProviderError `RotationInProgress` if the provider has another rotation that has begun, or that another
   *   caller is about to start; `ProviderChanged` if it is not at `fromVersion`, `ProviderNotConfigured`
   */
  stageRotation(rotation: StagedRotation): Promise<void>;
  /**
   * Binds the rotation to its workflow.
   *
   * @throws ProviderError `RotationFailed` if it has ended, belongs to another workflow, or the provider is not at the
   *   version that it was staged at
   */
  beginRotation(rotationId: string, workflowId: string): Promise<BegunRotation>;
  readRotation(rotationId: string): Promise<RotationRecord>;
  /** @returns false if the rotation has a credential already. The given one then belongs to no rotation */
  storeIssuedCredential(rotationId: string, next: Required<SealedCredential>): Promise<boolean>;
  /** @throws ProviderError `RotationFailed` if the rotation has ended */
  advanceRotation(rotationId: string, state: 'checked' | 'fenced' | 'drained'): Promise<void>;
  /** @throws ProviderError `RotationFailed` if the provider has changed since the rotation began */
  activateRotation(rotationId: string): Promise<{ readonly version: number }>;
  /** @throws ProviderError `RotationFailed` if there is nothing to restore, or the provider has changed since */
  rollBackRotation(rotationId: string, reason: string): Promise<{ readonly version: number }>;
  /** The id of the provider's rotation that has begun and not ended. */
  findOpenRotation(provider: ProviderIdentity): Promise<string | undefined>;
  /** The rotations of all workspaces that have begun and not ended. @param after - default: from the first */
  listOpenRotations(after: string | undefined, limit: number): Promise<readonly OpenRotation[]>;
  /** Ends the rotation and deletes its sealed credentials. Does nothing if it has ended. */
  endRotation(rotationId: string, end: RotationEnd): Promise<void>;
  /** The newest first. @param workspaceId - default: all workspaces */
  listRotations(workspaceId: string | undefined, limit: number): Promise<readonly RotationSummary[]>;
}

/** @param actor - the name that the audit and the rotation record; default: the login */
export function rotationStore(database: Database, actor?: string): RotationStore {
  const one = async (statement: Statement, values: readonly unknown[], rotationId: string) => {
    const [row] = await database.query<RotationColumns>(statement, values);
    if (row) return toRecord(row);
    throw gone(rotationId);
  };
  const swap = async (statement: Statement, values: readonly unknown[], what: string) => {
    const [row] = await database.query<SwapColumns>(statement, values);
    if (row?.outcome === 'activated') return { version: Number(row.new_version) };
    const why =
      row?.outcome === 'changed' ? 'the provider has changed in the meantime' : 'the rotation is not at that stage';
    throw new ProviderError('RotationFailed', `${what}: ${why}`);
  };
  return {
    async stageRotation({ rotationId, provider, fromVersion, nextEncryptedConfig, startsNow = false }) {
      const origin = nextEncryptedConfig === undefined ? 'issued' : 'given';
      const facts = [rotationId, ...keyOf(provider), fromVersion, origin, nextEncryptedConfig ?? null];
      const values = [...facts, actor ?? null, startsNow];
      const [row] = await database.query<{ outcome: string }>(STAGE, values);
      if (row?.outcome === 'in-progress') {
        const see = `see \`workspace-providers rotations ${provider.workspaceId}\``;
        const message = `${describeProvider(provider)} is being rotated already: ${see}`;
        throw new ProviderError('RotationInProgress', message, { provider });
      }
      if (row?.outcome === 'not-configured') {
        throw notConfigured(provider);
      }
      if (row?.outcome === 'changed') {
        const message = `${describeProvider(provider)} was changed while the rotation was staged: stage it again`;
        throw new ProviderError('ProviderChanged', message, { provider });
      }
    },
    async beginRotation(rotationId, workflowId) {
      const [row] = await database.query<BegunColumns>(BEGIN, [rotationId, workflowId]);
      if (row?.outcome === 'begun') return { origin: row.origin, fromVersion: Number(row.from_version) };
      if (row?.outcome !== 'changed') throw gone(rotationId);
      const message =
        `the rotation did not begin: the provider was changed since it was staged at version ${row.from_version}, ` +
        'and its next credential belongs to that version. Stage it again';
      throw new ProviderError('RotationFailed', message);
    },
    readRotation: (rotationId) => one(READ, [rotationId], rotationId),
    async storeIssuedCredential(rotationId, { encryptedConfig, keyId }) {
      const [row] = await database.query<{ stored: boolean }>(STORE_ISSUED, [rotationId, encryptedConfig, keyId]);
      return row?.stored ?? false;
    },
    async advanceRotation(rotationId, state) {
      const [row] = await database.query<{ is_open: boolean }>(ADVANCE, [rotationId, state]);
      if (!row?.is_open) throw gone(rotationId);
    },
    activateRotation: (rotationId) => swap(ACTIVATE, [rotationId], 'the next credential was not activated'),
    rollBackRotation: (rotationId, reason) => swap(ROLL_BACK, [rotationId, reason], 'the rotation was not rolled back'),
    async endRotation(rotationId, { state, reason, abandoned = false }) {
      await database.query(END, [rotationId, state ?? null, reason ?? null, abandoned]);
    },
    async findOpenRotation(provider) {
      const [row] = await database.query<{ rotation_id: string | null }>(FIND_OPEN, keyOf(provider));
      return row?.rotation_id ?? undefined;
    },
    async listOpenRotations(after, limit) {
      const rows = await database.query<OpenColumns>(LIST_OPEN, [after ?? '', limit]);
      return rows.map((row) => ({
        rotationId: row.rotation_id,
        provider: toIdentity(row),
        state: row.state,
        workflowId: row.workflow_id,
        updatedAt: row.updated_at,
      }));
    },
    async listRotations(workspaceId, limit) {
      return (await database.query<SummaryColumns>(LIST, [workspaceId ?? null, limit])).map(toSummary);
    },
  };
}

const STAGE = change('stage_rotation', 9);
const FIND_OPEN = call('find_open_rotation', 3);
const LIST_OPEN = call('list_open_rotations', 2);
const BEGIN = change('begin_rotation', 2);
const READ = call('read_rotation', 1);
const STORE_ISSUED = change('store_issued_credential', 3);
const ADVANCE = change('advance_rotation', 2);
const ACTIVATE = change('activate_rotation', 1);
const ROLL_BACK = change('roll_back_rotation', 2);
const END = change('end_rotation', 4);
const LIST = call('list_rotations', 2);

interface OpenColumns extends KeyColumns {
  readonly rotation_id: string;
  readonly state: RotationState;
  readonly workflow_id: string;
  readonly updated_at: Date;
}

interface BegunColumns {
  readonly outcome: 'begun' | 'changed' | 'ended';
  readonly origin: RotationOrigin;
  readonly from_version: string;
}

interface SwapColumns {
  readonly outcome: 'activated' | 'changed' | 'not-ready';
  readonly new_version: string | null;
}

interface SummaryColumns extends KeyColumns {
  readonly rotation_id: string;
  readonly state: RotationState;
  readonly origin: RotationOrigin;
  readonly workflow_id: string | null;
  readonly from_version: string;
  readonly to_version: string | null;
  readonly rolled_back: boolean;
  readonly reason: string | null;
  readonly requested_by: string;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly ended_at: Date | null;
}

interface RotationColumns extends SummaryColumns {
  readonly next_encrypted_config: string | null;
  readonly next_key_id: string | null;
  readonly previous_encrypted_config: string | null;
  readonly previous_key_id: string | null;
}

function toSummary(row: SummaryColumns): RotationSummary {
  return {
    rotationId: row.rotation_id,
    provider: toIdentity(row),
    state: row.state,
    origin: row.origin,
    workflowId: row.workflow_id ?? undefined,
    fromVersion: Number(row.from_version),
    toVersion: toVersion(row.to_version),
    rolledBack: row.rolled_back,
    reason: row.reason ?? undefined,
    requestedBy: row.requested_by,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    endedAt: row.ended_at ?? undefined,
  };
}

function toRecord(row: RotationColumns): RotationRecord {
  return {
    ...toSummary(row),
    next: toSealed(row.next_encrypted_config, row.next_key_id),
    previous: toSealed(row.previous_encrypted_config, row.previous_key_id),
  };
}

function toSealed(encryptedConfig: string | null, keyId: string | null): SealedCredential | undefined {
  return encryptedConfig === null ? undefined : { encryptedConfig, keyId: keyId ?? undefined };
}

function gone(rotationId: string): ProviderError {
  const message = `rotation ${rotationId} does not exist, has ended, or belongs to another workflow`;
  return new ProviderError('RotationFailed', message);
}

function toVersion(version: string | null): number | undefined {
  return version === null ? undefined : Number(version);
}
