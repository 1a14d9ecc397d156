/**
 * Replaces a provider's credential: staged → checked → activated → fenced → drained → revoked, or rolled back. Each
 * stage is an activity that may run again, so a process that is killed between any two changes nothing in the end.
 */
import {
  ApplicationFailure,
  CancellationScope,
  condition,
  defineQuery,
  defineUpdate,
  isCancellation,
  setCurrentDetails,
  setHandler,
  sleep,
} from '@temporalio/workflow';
import {
  type RevocationReport,
  ROLL_BACK,
  ROTATION_STATUS,
  type RollBackInput,
  type RotateProviderInput,
  type RotationStatus,
} from '../protocol/rotation.js';
import { drain } from './drain.js';
import { failureTypeOf, messageOf } from './failure-text.js';
import { fence } from './fence.js';
import { operation, SERVICE_OPTIONS, STORE_OPTIONS } from './operations.js';
import { describeRotation } from './rotation-details.js';

export const rotationStatus = defineQuery<RotationStatus>(ROTATION_STATUS);
export const rollBack = defineUpdate<RotationStatus, [RollBackInput]>(ROLL_BACK);

const DRAIN_LIMIT_MS = 15 * 60_000;

/** How often a service that cannot tell is asked, and how long between, in milliseconds. */
const CHECK_PAUSES_MS = [2_000, 4_000, 8_000, 16_000];

/**
 * @returns what was done and proved. The workflow fails, and nothing is changed, where the next credential is refused or
 *   the provider was changed meanwhile.
 */
export async function rotateProvider(input: RotateProviderInput): Promise<RotationStatus> {
  const { rotationId, provider } = input;
  const who = `${provider.type}/${provider.name} for ${provider.workspaceId}`;
  let status: RotationStatus = { rotationId, provider, state: 'staged', rollingBack: false };
  let asked: RollBackInput | undefined;
  let revertible = false;

  const tell = (change: Partial<RotationStatus>): void => {
    status = { ...status, ...change };
    setCurrentDetails(describeRotation(status));
  };
  setHandler(rotationStatus, () => status);
  setHandler(
    rollBack,
    async (request) => {
      asked = request;
      revertible = false;
      await condition(() => status.rollingBack);
      return status;
    },
    {
      validator: ({ reason }) => {
        if (!reason) throw ApplicationFailure.nonRetryable('rollBack needs a reason', 'ProviderConfigInvalid');
        if (revertible) return;
        const why = asked ? 'it is being rolled back already' : `it is ${status.state}: nothing is kept to go back to`;
        throw ApplicationFailure.nonRetryable(`cannot roll back ${who}: ${why}`, 'RotationFailed');
      },
    },
  );
  tell({});

  const prepare = async (): Promise<number> => {
    const begun = await operation('beginRotation', STORE_OPTIONS, `begin · ${who}`)({ rotationId });
    tell({ fromVersion: begun.fromVersion });
    if (begun.origin === 'issued') {
      await operation('issueNextCredential', SERVICE_OPTIONS, `have the service make a key · ${who}`)({ rotationId });
    }
    await checkNext();
    const activate = operation('activateNextCredential', STORE_OPTIONS, `activate the next credential · ${who}`);
    return (await activate({ rotationId })).version;
  };

  const checkNext = async (): Promise<void> => {
    const check = operation('checkNextCredential', SERVICE_OPTIONS, `check the next credential · ${who}`);
    let report = await check({ rotationId });
    for (const pauseMs of CHECK_PAUSES_MS) {
      if (report.outcome !== 'cannot-tell' || input.acceptUnchecked) break;
      await sleep(pauseMs);
      report = await check({ rotationId });
    }
    tell({ check: report });
    if (report.outcome === 'rejected') {
      throw ApplicationFailure.nonRetryable(`the next credential is refused: ${report.detail}`, 'CredentialRejected');
    }
    if (report.outcome === 'cannot-tell' && !input.acceptUnchecked) {
      throw ApplicationFailure.nonRetryable(`nobody can tell whether it works: ${report.detail}`, 'RotationFailed');
    }
    await record('checked');
  };

  const record = async (state: 'checked' | 'fenced' | 'drained'): Promise<void> => {
    await operation('recordRotationStage', STORE_OPTIONS, `${state} · ${who}`)({ rotationId, state });
    tell({ state });
  };

  /** From here on no worker serves the older version; then none holds it. */
  const settle = async (version: number): Promise<void> => {
    await fence((report) => tell({ fence: report }));
    await record('fenced');
    const limitMs = input.drainLimitMs ?? DRAIN_LIMIT_MS;
    const { drained } = await drain({ provider, version, limitMs, onReport: (report) => tell({ drain: report }) });
    if (drained) await record('drained');
  };

  const overlap = async (): Promise<void> => {
    if (!input.overlapMs) return;
    tell({ overlapUntil: new Date(Date.now() + input.overlapMs).toISOString() });
    await sleep(input.overlapMs);
  };

  const revoke = async (): Promise<RevocationReport> => {
    try {
      const previous = operation('revokePreviousCredential', SERVICE_OPTIONS, `revoke the older credential · ${who}`);
      return await previous({ rotationId });
    } catch (error) {
      if (isCancellation(error)) throw error;
      const detail = `the service could not be told (${failureTypeOf(error)}): revoke it there by hand`;
      return { outcome: 'operator', detail };
    }
  };

  try {
    const version = await prepare();
    tell({ state: 'activated', toVersion: version });
    revertible = true;
    const forward = new CancellationScope();
    const settled = forward.run(async () => {
      await settle(version);
      await overlap();
    });
    await Promise.race([settled, condition(() => asked !== undefined)]);
    revertible = false;
    if (asked !== undefined) {
      forward.cancel();
      await settled.catch(() => {});
      const { reason } = asked;
      const restore = operation('restorePreviousCredential', STORE_OPTIONS, `bring the older credential back · ${who}`);
      const restored = await restore({ rotationId, reason });
      const since = { fromVersion: version, toVersion: restored.version, fence: undefined, drain: undefined };
      tell({ state: 'activated', rollingBack: true, reason, overlapUntil: undefined, ...since });
      await settle(restored.version);
    }
    const revocation = await revoke();
    const state = status.rollingBack ? 'rolled-back' : revocation.outcome === 'revoked' ? 'revoked' : undefined;
    const reason = revocation.outcome === 'operator' ? revocation.detail : undefined;
    await operation('endRotation', STORE_OPTIONS, `end · ${who}`)({ rotationId, state, reason });
    tell({ revocation, overlapUntil: undefined, ...(state && { state }) });
    return status;
  } catch (error) {
    const reason = messageOf(error);
    await CancellationScope.nonCancellable(async () => {
      if (status.toVersion === undefined) {
        await operation(
          'discardIssuedCredential',
          SERVICE_OPTIONS,
          `unmake the key · ${who}`,
        )({ rotationId }).catch(() => {});
      }
      await operation('endRotation', STORE_OPTIONS, `failed · ${who}`)({ rotationId, state: 'failed', reason });
    });
    tell({ state: 'failed', reason });
    throw error;
  }
}
