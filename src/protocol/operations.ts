/** Inputs and results of the activities that rotations are made of. Ids and names alone: no credential, sealed or not. */
import type { RotationOrigin, RotationState } from './rotation.js';
import type { RegisteredWorker } from './workers.js';

export interface RotationIdInput {
  readonly rotationId: string;
}

export interface BegunRotation {
  readonly origin: RotationOrigin;
  readonly fromVersion?: number;
}

export interface RotationStageInput extends RotationIdInput {
  readonly state: Extract<RotationState, 'checked' | 'fenced' | 'drained'>;
}

export interface RollBackRotationInput extends RotationIdInput {
  readonly reason: string;
}

export interface EndRotationInput extends RotationIdInput {
  /** Absent: it ends where it is, since a person must do the rest. */
  readonly state?: Extract<RotationState, 'revoked' | 'rolled-back' | 'failed'>;
  readonly reason?: string;
}

/** Where a worker process is asked for itself. */
export type WorkerAddress = Pick<RegisteredWorker, 'workerId' | 'identity' | 'taskQueue' | 'state'>;
