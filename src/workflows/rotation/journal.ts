/** What a rotation has done so far: one value, which the query returns and the Temporal UI shows. */
import { defineQuery, setCurrentDetails, setHandler } from '@temporalio/workflow';
import { ROTATION_STATUS, type RotateProviderInput, type RotationStatus } from '../../protocol/rotation.js';
import { describeRotation } from './details.js';

const rotationStatus = defineQuery<RotationStatus>(ROTATION_STATUS);

export class RotationJournal {
  #status: RotationStatus;

  constructor({ rotationId, provider }: RotateProviderInput) {
    this.#status = { rotationId, provider, state: 'staged', rollingBack: false };
    setHandler(rotationStatus, () => this.#status);
    this.record({});
  }

  get status(): RotationStatus {
    return this.#status;
  }

  record(change: Partial<RotationStatus>): void {
    this.#status = { ...this.#status, ...change };
    setCurrentDetails(describeRotation(this.#status));
  }
}
