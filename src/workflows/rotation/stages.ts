/**
 * The stages of a rotation. Each does one thing, by activities that may run again, and records the result in the
 * journal. `rotateProvider` has their order.
 */
import { ApplicationFailure, CancellationScope, isCancellation, sleep } from '@temporalio/workflow';
import { describeProvider } from '../../protocol/names.js';
import {
  type CheckReport,
  type EndRotationInput,
  mayStillBeValid,
  type RevocationReport,
  type RotateProviderInput,
} from '../../protocol/rotation.js';
import { failureTypeOf, messageOf } from '../failure-type.js';
import { drain } from './drain.js';
import { fence } from './invalidate-workers.js';
import type { RotationJournal } from './journal.js';
import { operation, SERVICE_OPTIONS, STORE_OPTIONS } from './proxies.js';

/** One and a half times as long as an LLM step may take. */
const DRAIN_LIMIT_MS = 15 * 60_000;

/** The pauses before a service that cannot tell is asked again, in milliseconds. */
const CHECK_PAUSES_MS = [2_000, 4_000, 8_000, 16_000];

export class RotationStages {
  readonly #rotation: { readonly rotationId: string };
  readonly #provider: string;
  #isIssued = false;

  constructor(
    private readonly input: RotateProviderInput,
    private readonly journal: RotationJournal,
  ) {
    this.#rotation = { rotationId: input.rotationId };
    this.#provider = describeProvider(input.provider);
  }

  async begin(): Promise<void> {
    const { origin, fromVersion } = await this.#inStore('beginRotation', 'begin')(this.#rotation);
    this.journal.record({ fromVersion });
    if (origin === 'issued') {
      this.#isIssued = true;
      await this.#atService('issueNextCredential', 'issue the next credential')(this.#rotation);
    }
  }

  async check(): Promise<void> {
    const check = await this.#checkWithRetries();
    const { outcome, detail } = check;
    this.journal.record({ check });
    if (outcome === 'rejected') {
      throw ApplicationFailure.nonRetryable(`the service rejects the next credential: ${detail}`, 'CredentialRejected');
    }
    if (outcome === 'cannot-tell' && !this.input.acceptUnchecked) {
      const message = `the service cannot tell whether the next credential works: ${detail}`;
      throw ApplicationFailure.nonRetryable(`${message}; try again, or accept it unchecked`, 'RotationFailed');
    }
    await this.#record('checked');
  }

  /** Not cancellable: a failure must know whether the next credential is served, and so what to undo. */
  async activate(): Promise<void> {
    const activate = this.#inStore('activateNextCredential', 'activate the next credential');
    const { version } = await CancellationScope.nonCancellable(() => activate(this.#rotation));
    this.journal.record({ state: 'activated', toVersion: version });
  }

  /** When this returns, no worker serves an older version. */
  async fence(): Promise<void> {
    await fence((report) => this.journal.record({ fence: report }));
    this.journal.record({ fencedAt: new Date().toISOString() });
    await this.#record('fenced');
  }

  /** When this returns, no step holds an older version, or the limit was reached: the report says which. */
  async drain(): Promise<void> {
    const { provider, drainLimitMs: limitMs = DRAIN_LIMIT_MS } = this.input;
    const { toVersion: version = 0, fence: { epoch } = { epoch: 0 } } = this.journal.status;
    const drained = await drain({
      ...{ provider, version, epoch, limitMs },
      onReport: (report) => this.journal.record({ drain: report }),
    });
    if (drained) await this.#record('drained');
  }

  async overlap(): Promise<void> {
    const { overlapMs } = this.input;
    if (!overlapMs) return;
    this.journal.record({ overlapUntil: new Date(Date.now() + overlapMs).toISOString() });
    await sleep(overlapMs);
    this.journal.record({ overlapUntil: undefined });
  }

  /**
   * Restores the older credential as a new version. The credential that it replaces is revoked in the end. Not
   * cancellable, for the same reason as `activate`.
   */
  async restore(reason: string): Promise<void> {
    const restore = this.#inStore('restorePreviousCredential', 'restore the older credential');
    const { version } = await CancellationScope.nonCancellable(() => restore({ ...this.#rotation, reason }));
    const { toVersion: fromVersion } = this.journal.status;
    const cleared = { fence: undefined, fencedAt: undefined, drain: undefined, overlapUntil: undefined };
    this.journal.record({ ...cleared, state: 'activated', rollingBack: true, reason, fromVersion, toVersion: version });
  }

  /** Ends the rotation. If the service cannot revoke the credential, the report says what a person must do. */
  async revoke(): Promise<void> {
    const revocation = await this.#revokePrevious();
    const state = this.journal.status.rollingBack
      ? 'rolled-back'
      : revocation.outcome === 'revoked'
        ? 'revoked'
        : undefined;
    await this.#end({ state, reason: revocation.outcome === 'by-hand' ? revocation.detail : undefined });
    this.journal.record({ revocation, ...(state && { state }) });
  }

  /** Ends a rotation that failed before the activation: nothing is changed, and an issued key is deleted. */
  async fail(error: unknown): Promise<void> {
    const left = await CancellationScope.nonCancellable(() => this.#discardIssued());
    const reason = [messageOf(error), left].filter(Boolean).join('; ');
    await this.#end({ state: 'failed', reason });
    this.journal.record({ state: 'failed', reason });
  }

  /** Ends a rotation that failed after the activation: it keeps its state, and a person must do the rest. */
  async breakOff(error: unknown): Promise<void> {
    const { rollingBack, reason: rollBackReason } = this.journal.status;
    const why = rollingBack ? `${rollBackReason}; ` : '';
    const reason = `${why}${messageOf(error)}; ${mayStillBeValid(rollingBack)}`;
    await this.#end({ reason });
    this.journal.record({ reason, overlapUntil: undefined });
  }

  async #checkWithRetries(): Promise<CheckReport> {
    const check = this.#atService('checkNextCredential', 'check the next credential');
    let report = await check(this.#rotation);
    for (const pauseMs of CHECK_PAUSES_MS) {
      if (report.outcome !== 'cannot-tell' || this.input.acceptUnchecked) break;
      this.journal.record({ check: report });
      await sleep(pauseMs);
      report = await check(this.#rotation);
    }
    return report;
  }

  async #revokePrevious(): Promise<RevocationReport> {
    try {
      return await this.#atService('revokePreviousCredential', 'revoke the older credential')(this.#rotation);
    } catch (error) {
      if (isCancellation(error)) throw error;
      const detail = `the service could not be asked to revoke it (${failureTypeOf(error)}): revoke it there by hand`;
      return { outcome: 'by-hand', detail };
    }
  }

  /** @returns what a person must do about an issued key that could not be deleted */
  async #discardIssued(): Promise<string | undefined> {
    if (!this.#isIssued) return undefined;
    try {
      const report = await this.#atService('discardIssuedCredential', 'delete the issued key')(this.#rotation);
      return report?.outcome === 'by-hand' ? `the key that was issued for it: ${report.detail}` : undefined;
    } catch (error) {
      return `the key that was issued for it could not be deleted (${failureTypeOf(error)}): delete it at the service`;
    }
  }

  /** Not cancellable: a statement that arrives after a rollback would record a stage that the rotation has left. */
  async #record(state: 'checked' | 'fenced' | 'drained'): Promise<void> {
    const record = this.#inStore('recordRotationStage', state);
    await CancellationScope.nonCancellable(() => record({ ...this.#rotation, state }));
    this.journal.record({ state });
  }

  #end(how: Omit<EndRotationInput, 'rotationId'>): Promise<void> {
    const end = this.#inStore('endRotation', how.state ?? 'end');
    return CancellationScope.nonCancellable(() => end({ ...this.#rotation, ...how }));
  }

  #inStore<Name extends Parameters<typeof operation>[0]>(name: Name, what: string) {
    return operation(name, STORE_OPTIONS, `${what} · ${this.#provider}`);
  }

  #atService<Name extends Parameters<typeof operation>[0]>(name: Name, what: string) {
    return operation(name, SERVICE_OPTIONS, `${what} · ${this.#provider}`);
  }
}
