/** Starts rotations on Temporal, follows them and rolls them back. The credentials stay out of it: ids alone travel. */
import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowHandle,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { SecretFields } from '../management/secret-vault.js';
import { isProviderError, ProviderError } from '../protocol/errors.js';
import type { ProviderIdentity } from '../protocol/identity.js';
import { describeProvider } from '../protocol/names.js';
import {
  OPERATIONS_TASK_QUEUE,
  ROLL_BACK,
  ROTATION_STATUS,
  type RotateProviderInput,
  type RotationStatus,
  rotationWorkflowId,
} from '../protocol/rotation.js';
import type { ProviderClient } from './provider-client.js';

export interface RotateInput extends Omit<RotateProviderInput, 'rotationId'> {
  /** The next credential, in the clear; sealed before it leaves this process. Absent: the service is to make one. */
  readonly secret?: SecretFields;
  /** Who asks, for the record. */
  readonly requestedBy: string;
}

/** Its result is what was done and proved; it fails where nothing was changed. */
export type RotationHandle = WorkflowHandle<(input: RotateProviderInput) => Promise<RotationStatus>>;

/** A process that is killed in the middle of a decision is noticed as soon as one that is killed in an activity. */
const WORKFLOW_TASK_TIMEOUT = '5 seconds';

export class RotationClient {
  constructor(
    private readonly providers: ProviderClient,
    private readonly temporal: Client,
    /** Where rotations are run. */
    private readonly taskQueue: string = OPERATIONS_TASK_QUEUE,
  ) {}

  /**
   * Stages the next credential and starts the rotation.
   *
   * @throws ProviderError `RotationInProgress` where there is another one, and what `Rotations.stage` throws
   */
  async rotate({ secret, requestedBy, ...input }: RotateInput): Promise<RotationHandle> {
    const { provider } = input;
    // Before anything is staged: what is staged takes the place of what has not begun.
    if (await this.#isRunning(provider)) throw inProgress(provider);
    const stage = () => this.providers.rotations.stage({ provider, secret, requestedBy });
    const rotationId = await stage().catch(async (error: unknown) => {
      if (!isProviderError(error, 'RotationInProgress') || !(await this.#abandonOrphan(provider))) throw error;
      return stage();
    });
    try {
      return await this.temporal.workflow.start('rotateProvider', {
        workflowId: rotationWorkflowId(provider),
        taskQueue: this.taskQueue,
        args: [{ ...input, rotationId }],
        workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
        staticSummary: `rotate ${describeProvider(provider)}`,
      });
    } catch (error) {
      await this.providers.abandonRotation(rotationId, 'its workflow was not started').catch(() => {});
      if (error instanceof WorkflowExecutionAlreadyStartedError) throw inProgress(provider);
      throw error;
    }
  }

  /** Of the provider's latest rotation. */
  handleOf(provider: ProviderIdentity): RotationHandle {
    return this.temporal.workflow.getHandle(rotationWorkflowId(provider));
  }

  /** Of the provider's latest rotation, under way or ended. @throws ProviderError `RotationFailed` where there is none */
  async status(provider: ProviderIdentity): Promise<RotationStatus> {
    try {
      return await this.handleOf(provider).query<RotationStatus, []>(ROTATION_STATUS);
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      throw new ProviderError('RotationFailed', `Temporal keeps no rotation of ${describeProvider(provider)}`, {
        provider,
      });
    }
  }

  /**
   * Brings the previous credential back, while a rotation under way keeps it. Returns once the rotation has turned; its
   * result tells when no worker serves the newer one.
   *
   * @throws ProviderError `RotationFailed` where nothing is kept to go back to, or the provider was changed since;
   *   `ProviderConfigInvalid` for a reason that is empty or longer than 500 characters
   */
  async rollBack(provider: ProviderIdentity, reason: string): Promise<RotationHandle> {
    const handle = this.handleOf(provider);
    try {
      await handle.executeUpdate<RotationStatus, [{ reason: string }]>(ROLL_BACK, { args: [{ reason }] });
      return handle;
    } catch (error) {
      const cause = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
      if (cause instanceof ApplicationFailure) {
        const type = cause.type === 'ProviderConfigInvalid' ? cause.type : 'RotationFailed';
        throw new ProviderError(type, cause.message, { provider });
      }
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      const message = `no rotation of ${describeProvider(provider)} is under way: rotate to the older credential`;
      throw new ProviderError('RotationFailed', message, { provider });
    }
  }

  async #isRunning(provider: ProviderIdentity): Promise<boolean> {
    try {
      return (await this.handleOf(provider).describe()).status.name === 'RUNNING';
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw error;
    }
  }

  /** A rotation whose workflow was terminated ends nowhere, and would keep every other one out. */
  async #abandonOrphan(provider: ProviderIdentity): Promise<boolean> {
    if (await this.#isRunning(provider)) return false;
    const open = (await this.providers.listRotations(provider.workspaceId, 1_000)).find(
      (each) => each.endedAt === undefined && describeProvider(each.provider) === describeProvider(provider),
    );
    if (open) await this.providers.abandonRotation(open.rotationId, 'its workflow ended without it');
    return open !== undefined;
  }
}

function inProgress(provider: ProviderIdentity): ProviderError {
  const message = `${describeProvider(provider)} is being rotated already`;
  return new ProviderError('RotationInProgress', message, { provider });
}
