/** Rotations, stage by stage. Each call may be made again: what it does is done once. */
import { ProviderError } from '../protocol/errors.js';
import { describeProvider } from '../protocol/names.js';
import type { ProviderIdentity } from '../protocol/references.js';
import type { RotationOrigin, RotationState } from '../protocol/rotation.js';
import { call, type KeyColumns, keyOf, toIdentity } from './calls.js';
import type { Database, Statement } from './pool.js';

/** A rotation, without what is sealed. */
export interface RotationSummary {
  readonly rotationId: string;
  readonly provider: ProviderIdentity;
  readonly state: RotationState;
  readonly origin: RotationOrigin;
  readonly workflowId?: string;
  readonly fromVersion?: number;
  readonly toVersion?: number;
  readonly rolledBack: boolean;
  readonly reason?: string;
  readonly requestedBy: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly endedAt?: Date;
}

/** With its credentials, sealed. */
export interface RotationRecord extends RotationSummary {
  readonly next?: SealedCredential;
  readonly previous?: SealedCredential;
}

export interface SealedCredential {
  readonly encryptedConfig: string;
  /** What the service calls it, where it made it for us. */
  readonly keyId?: string;
}

export interface StagedRotation {
  readonly rotationId: string;
  readonly provider: ProviderIdentity;
  /** Absent: the service makes one. */
  readonly nextEncryptedConfig?: string;
}

/** Each throws ProviderError `StoreUnavailable`, and `RotationFailed` where there is no such rotation. */
export interface RotationStore {
  /** @throws ProviderError `RotationInProgress` where there is another one, `ProviderNotConfigured` */
  stageRotation(rotation: StagedRotation): Promise<void>;
  /** Binds it to its workflow and to the version that it starts from. @throws ProviderError `RotationFailed` */
  beginRotation(rotationId: string, workflowId: string): Promise<RotationRecord>;
  readRotation(rotationId: string): Promise<RotationRecord>;
  /** @returns false where it has one already: then this one is nobody's */
  storeIssuedCredential(rotationId: string, next: Required<SealedCredential>): Promise<boolean>;
  advanceRotation(rotationId: string, state: 'checked' | 'fenced' | 'drained'): Promise<void>;
  /** @throws ProviderError `RotationFailed` where the provider was changed since the rotation began */
  activateRotation(rotationId: string): Promise<{ readonly version: number }>;
  /** @throws ProviderError `RotationFailed` where nothing is kept to bring back, or the provider was changed since */
  rollBackRotation(rotationId: string, reason: string): Promise<{ readonly version: number }>;
  /** The id of the provider's rotation that has begun and not ended. */
  findOpenRotation(provider: ProviderIdentity): Promise<string | undefined>;
  /** Empties the sealed columns. @param state - absent: it stays as it is */
  endRotation(rotationId: string, state?: 'revoked' | 'rolled-back' | 'failed', reason?: string): Promise<void>;
  /** The newest first. @param workspaceId - absent: of all workspaces */
  listRotations(workspaceId: string | undefined, limit: number): Promise<readonly RotationSummary[]>;
}

/** @param actor - the name that the audit and the rotation record; absent: the login */
export function rotationStore(database: Database, actor?: string): RotationStore {
  const one = async (statement: Statement, values: readonly unknown[], rotationId: string) => {
    const [row] = await database.query<RotationColumns>(statement, values);
    if (row) return toRecord(row);
    throw new ProviderError(
      'RotationFailed',
      `rotation ${rotationId} is not there, has ended, or is another workflow's`,
    );
  };
  const swap = async (statement: Statement, values: readonly unknown[], what: string) => {
    const [row] = await database.query<SwapColumns>(statement, values);
    if (row?.outcome === 'activated') return { version: Number(row.new_version) };
    const why = row?.outcome === 'changed' ? 'the provider was changed meanwhile' : 'it is not at that stage';
    throw new ProviderError('RotationFailed', `${what}: ${why}; nothing was changed now`);
  };
  return {
    async stageRotation({ rotationId, provider, nextEncryptedConfig }) {
      const origin = nextEncryptedConfig === undefined ? 'issued' : 'given';
      const values = [rotationId, ...keyOf(provider), origin, nextEncryptedConfig ?? null, actor ?? null];
      const [row] = await database.query<{ outcome: string }>(STAGE, values);
      if (row?.outcome === 'in-progress') {
        const message = `${describeProvider(provider)} is being rotated already: see \`rotations ${provider.workspaceId}\``;
        throw new ProviderError('RotationInProgress', message, { provider });
      }
      if (row?.outcome === 'not-configured') {
        throw new ProviderError('ProviderNotConfigured', `there is no ${describeProvider(provider)}`, { provider });
      }
    },
    beginRotation: (rotationId, workflowId) => one(BEGIN, [rotationId, workflowId], rotationId),
    readRotation: (rotationId) => one(READ, [rotationId], rotationId),
    async storeIssuedCredential(rotationId, { encryptedConfig, keyId }) {
      const [row] = await database.query<{ stored: boolean }>(STORE_ISSUED, [rotationId, encryptedConfig, keyId]);
      return row?.stored ?? false;
    },
    async advanceRotation(rotationId, state) {
      await database.query(ADVANCE, [rotationId, state]);
    },
    activateRotation: (rotationId) => swap(ACTIVATE, [rotationId], 'the next credential was not activated'),
    rollBackRotation: (rotationId, reason) => swap(ROLL_BACK, [rotationId, reason], 'it was not rolled back'),
    async endRotation(rotationId, state, reason) {
      await database.query(END, [rotationId, state ?? null, reason ?? null]);
    },
    async findOpenRotation(provider) {
      const [row] = await database.query<{ rotation_id: string | null }>(FIND_OPEN, keyOf(provider));
      return row?.rotation_id ?? undefined;
    },
    async listRotations(workspaceId, limit) {
      return (await database.query<SummaryColumns>(LIST, [workspaceId ?? null, limit])).map(toSummary);
    },
  };
}

const STAGE = call('stage_rotation', 7);
const FIND_OPEN = call('find_open_rotation', 3);
const BEGIN = call('begin_rotation', 2);
const READ = call('read_rotation', 1);
const STORE_ISSUED = call('store_issued_credential', 3);
const ADVANCE = call('advance_rotation', 2);
const ACTIVATE = call('activate_rotation', 1);
const ROLL_BACK = call('roll_back_rotation', 2);
const END = call('end_rotation', 3);
const LIST = call('list_rotations', 2);

interface SwapColumns {
  readonly outcome: 'activated' | 'changed' | 'not-ready';
  readonly new_version: string | null;
}

interface SummaryColumns extends KeyColumns {
  readonly rotation_id: string;
  readonly state: RotationState;
  readonly origin: RotationOrigin;
  readonly workflow_id: string | null;
  readonly from_version: string | null;
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
    fromVersion: toVersion(row.from_version),
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

function toVersion(version: string | null): number | undefined {
  return version === null ? undefined : Number(version);
}
