/**
 * Replaces a provider's credential: staged → checked → activated → fenced → drained → revoked, or rolled back. Each
 * stage consists of activities that may run again, so the outcome is the same if a process is killed between any two of
 * them. The workflow carries only ids and names.
 */
import { allHandlersFinished, CancellationScope, condition } from '@temporalio/workflow';
import type { RotateProviderInput, RotationStatus } from '../../protocol/rotation.js';
import { RotationJournal } from './journal.js';
import { RollBackUpdate } from './roll-back-update.js';
import { RotationStages } from './stages.js';

/**
 * @returns what was done and proved. The workflow fails if the next credential is rejected or the provider was changed
 *   meanwhile; then nothing is changed. It also fails if it breaks off after the activation; then the rotation's reason
 *   has what is left to do.
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
