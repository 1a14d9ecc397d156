/**
 * Replaces a provider's credential: staged → checked → activated → fenced → drained → revoked, or rolled back. Each
 * stage is made of activities that may run again, so a process that is killed between any two changes nothing in the
 * end. The workflow carries ids and names alone.
 */
import { allHandlersFinished, CancellationScope, condition } from '@temporalio/workflow';
import type { RotateProviderInput, RotationStatus } from '../../protocol/rotation.js';
import { RotationJournal } from './journal.js';
import { RollBackUpdate } from './roll-back-update.js';
import { RotationStages } from './stages.js';

/**
 * @returns what was done and proved. The workflow fails where the next credential is refused or the provider was changed
 *   meanwhile, and nothing is changed then; where it is broken off after the activation, its rotation says what is left.
 */
export async function rotateProvider(input: RotateProviderInput): Promise<RotationStatus> {
  const journal = new RotationJournal(input);
  const rollBackUpdate = new RollBackUpdate(journal);
  const stages = new RotationStages(input, journal);
  try {
    await replace(stages);
    await finish(stages, rollBackUpdate);
    return journal.status;
  } finally {
    rollBackUpdate.end();
    await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  }
}

async function replace(stages: RotationStages): Promise<void> {
  try {
    await stages.begin();
    await stages.check();
    await stages.activate();
  } catch (error) {
    await stages.fail(error);
    throw error;
  }
}

async function finish(stages: RotationStages, rollBackUpdate: RollBackUpdate): Promise<void> {
  try {
    const turn = await rollBackUpdate.whileOpen(async () => {
      await stages.fence();
      await stages.drain();
      await stages.overlap();
    });
    if (turn) {
      await stages.restore(turn.reason);
      await stages.fence();
      await stages.drain();
    }
    await stages.revoke();
  } catch (error) {
    await stages.breakOff(error);
    throw error;
  }
}
