/** Starts rotations on Temporal, follows them and rolls them back. Temporal gets only ids, never a credential. */
import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowHandle,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { DURATION_RULE, type Duration, parseDuration } from '../config/duration.js';
import type { ProviderClient } from '../management/provider-client.js';
import type { SecretFields } from '../management/secret-vault.js';
import { isProviderError, ProviderError } from '../protocol/errors.js';
import { describeProvider } from '../protocol/names.js';
import type { ProviderIdentity } from '../protocol/references.js';
import {
  OPERATIONS_TASK_QUEUE,
  ROLL_BACK,
  ROTATE_PROVIDER,
  ROTATION_STATUS,
  type RotateProviderInput,
  type RotationStatus,
  rotationWorkflowId,
} from '../protocol/rotation.js';

export interface RotateInput extends ProviderIdentity {
  /** The next credential, in plaintext. It is sealed before it leaves this process. Default: the service issues one. */
  readonly secret?: SecretFields;
  /**
   * How long both credentials stay valid at the service after no worker serves the older one: the time in which a
   * rollback is possible. At most `30d`. Default: `0`.
   */
  readonly overlap?: Duration;
  /** How long to wait for running steps that hold the older credential. At most `1d`. Default: `15m`. */
  readonly drainLimit?: Duration;
  /** Whether to activate a credential that the live service could not confirm. Default: false. */
  readonly acceptUnchecked?: boolean;
}

/** The handle of a rotation's workflow. Its result is what was done and proved; it rejects if the rotation failed. */
export type RotationHandle = WorkflowHandle<(input: RotateProviderInput) => Promise<RotationStatus>>;

/** A process that is killed in a workflow task is then noticed as soon as one that is killed in an activity. */
const WORKFLOW_TASK_TIMEOUT = '5 seconds';
const LONGEST_OVERLAP: Duration = '30d';
const LONGEST_DRAIN: Duration = '1d';

/**
 * Starts rotations, follows them, and rolls them back.
 *
 * @example new RotationClient(await ProviderClient.connect(), grants.operatorClient('ops'))
 */
export class RotationClient {
  /**
   * @param providers - its actor is recorded as the requester
   * @param temporal - a client whose workflows carry an operator's grant: `WorkspaceGrants.operatorClient`
   * @param taskQueue - the queue of the workers that run rotations
   */
  constructor(
    private readonly providers: ProviderClient,
    private readonly temporal: Client,
    private readonly taskQueue: string = OPERATIONS_TASK_QUEUE,
  ) {}

  /**
   * Stages the next credential and starts the rotation.
   *
   * @throws ProviderError `RotationInProgress` if another rotation of the provider is running, `ProviderNotConfigured`;
   *   `ProviderConfigInvalid` also if `secret` is the stored credential, or if the service cannot issue keys
   */
  async rotate({ secret, overlap, drainLimit, acceptUnchecked, ...identity }: RotateInput): Promise<RotationHandle> {
    const { workspaceId, type, name } = identity;
    const provider = { workspaceId, type, name };
    const limits = {
      ...(acceptUnchecked && { acceptUnchecked }),
      ...(overlap !== undefined && { overlapMs: checkLimit('overlap', overlap, LONGEST_OVERLAP) }),
      ...(drainLimit !== undefined && { drainLimitMs: checkLimit('drainLimit', drainLimit, LONGEST_DRAIN) }),
    };
    // Checked before staging, which replaces a staged credential whose rotation has not begun.
    if (await this.#isRunning(provider)) throw inProgress(provider);
    const stage = () => this.providers.stageRotation({ ...provider, ...(secret && { secret }) });
    const rotationId = await stage().catch(async (error: unknown) => {
      if (!isProviderError(error, 'RotationInProgress') || !(await this.#abandonOrphan(provider))) throw error;
      return stage();
    });
    try {
      return await this.temporal.workflow.start(ROTATE_PROVIDER, {
        workflowId: rotationWorkflowId(provider),
        taskQueue: this.taskQueue,
        args: [{ ...limits, provider, rotationId }],
        workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
        staticSummary: `rotate ${describeProvider(provider)}`,
      });
    } catch (error) {
      await this.providers.abandonRotation(rotationId, 'its workflow could not be started').catch(() => {});
      if (error instanceof WorkflowExecutionAlreadyStartedError) throw inProgress(provider);
      throw error;
    }
  }

  /** Returns the handle of the provider's latest rotation. */
  handleOf(provider: ProviderIdentity): RotationHandle {
    return this.temporal.workflow.getHandle(rotationWorkflowId(provider));
  }

  /** Returns the status of the latest rotation. @throws ProviderError `RotationFailed` if Temporal has no rotation */
  async status(provider: ProviderIdentity): Promise<RotationStatus> {
    try {
      return await this.handleOf(provider).query<RotationStatus, []>(ROTATION_STATUS);
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      throw failed(
        `Temporal has no rotation of ${describeProvider(provider)}: none was started, or its history has expired`,
        provider,
      );
    }
  }

  /**
   * Restores the previous credential while a running rotation keeps it. Returns once the rotation is rolling back; wait
   * for the handle's result to know that no worker serves the newer credential.
   *
   * @param reason - for the record, 1 to 500 characters
   * @throws ProviderError `RotationFailed` if no previous credential is kept, or the provider was changed since;
   *   `ProviderConfigInvalid` if the reason is empty or too long
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
      if (error instanceof WorkflowUpdateFailedError) {
        throw failed(`the rotation of ${describeProvider(provider)} ended before it was rolled back`, provider);
      }
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      throw failed(
        `no rotation of ${describeProvider(provider)} is running: rotate to the older credential instead`,
        provider,
      );
    }
  }

  /** @throws ProviderError `RotationFailed` if a workflow that is not a rotation runs under the rotation's id */
  async #isRunning(provider: ProviderIdentity): Promise<boolean> {
    try {
      const { status, type } = await this.handleOf(provider).describe();
      if (status.name !== 'RUNNING') return false;
      if (type === ROTATE_PROVIDER) return true;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw error;
    }
    const message = `a workflow that is not a rotation runs under the id ${rotationWorkflowId(provider)}: terminate it`;
    throw failed(message, provider);
  }

  /** Ends a rotation whose workflow was terminated: it would never end by itself, and would block every other one. */
  async #abandonOrphan(provider: ProviderIdentity): Promise<boolean> {
    if (await this.#isRunning(provider)) return false;
    return this.providers.abandonOpenRotation(provider, 'its workflow ended before the rotation did');
  }
}

function checkLimit(field: string, duration: Duration, longest: Duration): number {
  const ms = parseDuration(duration);
  if (ms !== undefined && ms <= (parseDuration(longest) ?? 0)) return ms;
  throw ProviderError.configInvalid(field, `must be ${DURATION_RULE}, at most ${longest}`);
}

function inProgress(provider: ProviderIdentity): ProviderError {
  const message = `a rotation of ${describeProvider(provider)} is already running: wait for it, or roll it back`;
  return new ProviderError('RotationInProgress', message, { provider });
}

function failed(message: string, provider: ProviderIdentity): ProviderError {
  return new ProviderError('RotationFailed', message, { provider });
}
