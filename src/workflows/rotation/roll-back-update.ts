/**
 * The update `rollBack`. A rotation accepts it while the newer credential is served and the older one is kept, and
 * refuses it before and after. The caller gets an answer once the rotation is rolling back, and otherwise an error.
 */
import { ApplicationFailure, CancellationScope, condition, defineUpdate, setHandler } from '@temporalio/workflow';
import type { FailureType } from '../../protocol/failure-types.js';
import { describeProvider } from '../../protocol/names.js';
import { ROLL_BACK, type RollBackInput, type RotationStatus } from '../../protocol/rotation.js';
import type { RotationJournal } from './journal.js';

const rollBack = defineUpdate<RotationStatus, [RollBackInput]>(ROLL_BACK);

/** The reason is kept in the database and in the history. */
const MAX_REASON_LENGTH = 500;

export class RollBackUpdate {
  #isOpen = false;
  #hasEnded = false;
  #request: RollBackInput | undefined;

  constructor(private readonly journal: RotationJournal) {
    setHandler(rollBack, (request) => this.#take(request), { validator: (request) => this.#validate(request) });
  }

  /** Runs what can be rolled back. @returns the request if one arrived: it cancels `run` */
  async whileOpen(run: () => Promise<void>): Promise<RollBackInput | undefined> {
    const forward = new CancellationScope();
    this.#isOpen = true;
    const ran = forward.run(run);
    try {
      await Promise.race([ran, condition(() => this.#request !== undefined)]);
    } finally {
      this.#isOpen = false;
    }
    if (this.#request) {
      forward.cancel();
      await ran.catch(() => {});
    }
    return this.#request;
  }

  /** Fails a request that still waits: the rotation has ended without rolling back. */
  end(): void {
    this.#hasEnded = true;
  }

  async #take(request: RollBackInput): Promise<RotationStatus> {
    this.#request = request;
    this.#isOpen = false;
    // A cancellation of the rotation must not hide from the caller what has become of it.
    await CancellationScope.nonCancellable(() => condition(() => this.journal.status.rollingBack || this.#hasEnded));
    const { status } = this.journal;
    if (status.rollingBack) return status;
    throw refused('RotationFailed', `the rotation was not rolled back: ${status.reason}`);
  }

  #validate({ reason }: RollBackInput): void {
    if (!reason?.trim() || reason.length > MAX_REASON_LENGTH) {
      throw refused('ProviderConfigInvalid', `rollBack needs a reason of 1 to ${MAX_REASON_LENGTH} characters`);
    }
    if (this.#isOpen) return;
    const { provider, state } = this.journal.status;
    const why = this.#request
      ? 'its rotation is already rolling back'
      : `its rotation is ${state} and keeps no older credential`;
    throw refused('RotationFailed', `cannot roll back ${describeProvider(provider)}: ${why}`);
  }
}

function refused(type: FailureType, message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, type);
}
