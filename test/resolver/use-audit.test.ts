/** A step neither waits for the audit nor fails because of it. Held uses are bounded, and lost uses are counted. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Observer } from '../../src/observer/observer.js';
import { runningWorkflow } from '../../src/plugin/workspace-providers.js';
import { ProviderError } from '../../src/protocol/errors.js';
import type { ProviderIdentity, ProviderReference } from '../../src/protocol/references.js';
import { UseAudit } from '../../src/resolver/use-audit.js';
import { UseCounts } from '../../src/resolver/use-counts.js';
import type { CountedUse, UnreadableCredential } from '../../src/store/ports.js';
import type { StepAuditStore } from '../../src/store/step-audit-store.js';
import { inActivity } from '../activities/in-activity.js';

const provider = { workspaceId: 'ws_acme', type: 'llm', name: 'anthropic' };

function reference(change: Partial<ProviderReference> = {}): ProviderReference {
  return { ...provider, version: 3, source: 'workspace', cache: 'hit', shown: {}, ...change };
}

class FakeAuditStore implements StepAuditStore {
  failure: ProviderError | undefined;
  /** Awaited by each statement. */
  answer: Promise<void> = Promise.resolve();
  readonly batches: (readonly CountedUse[])[] = [];
  readonly unreadable: UnreadableCredential[] = [];

  async recordUses(uses: readonly CountedUse[]): Promise<void> {
    await this.answer;
    if (this.failure) throw this.failure;
    this.batches.push(uses);
  }

  async recordUnreadable(found: UnreadableCredential): Promise<void> {
    await this.answer;
    if (this.failure) throw this.failure;
    this.unreadable.push(found);
  }

  get counted(): number {
    return this.batches.flat().reduce((sum, { count }) => sum + count, 0);
  }
}

const AWAY = new ProviderError('StoreUnavailable', 'Postgres does not answer');

function audited(maxHeld?: number) {
  const clock = { nowMs: Date.UTC(2026, 2, 1, 12, 0, 59) };
  const store = new FakeAuditStore();
  const observer = new Observer();
  const uses = new UseCounts(maxHeld, () => clock.nowMs);
  const audit = new UseAudit(store, 'agents-7', runningWorkflow, uses, observer);
  observer.listen(audit.listener);
  const report = (provider: ProviderIdentity, version: number) =>
    observer.report({ what: 'unreadable', provider, version });
  return { clock, store, audit, report };
}

const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
afterEach(() => warnings.mockClear());

const asAgent = (workflowId: string, work: () => unknown) =>
  inActivity({ workflowType: 'addressAgent', workflowExecution: { workflowId, runId: 'r' } }).run(async () => work());

describe('uses', () => {
  test('are counted by workflow, version and minute, and stored in one batch', async () => {
    const { clock, store, audit } = audited();
    await asAgent('agent-1', () => {
      for (let run = 0; run < 1_000; run += 1) audit.used(reference());
      audit.used(reference({ version: 4 }));
    });
    await asAgent('agent-2', () => audit.used(reference()));
    clock.nowMs += 1_000;
    audit.used(reference());
    await audit.storeUses();
    await audit.storeUses();
    const first = { provider, version: 3, workflowType: 'addressAgent', minuteMs: Date.UTC(2026, 2, 1, 12, 0) };
    expect(store.batches).toEqual([
      [
        { ...first, workflowId: 'agent-1', count: 1_000 },
        { ...first, workflowId: 'agent-1', version: 4, count: 1 },
        { ...first, workflowId: 'agent-2', count: 1 },
        { ...first, workflowType: '', workflowId: '', minuteMs: Date.UTC(2026, 2, 1, 12, 1), count: 1 },
      ],
    ]);
  });

  test('are held while Postgres is down, and none is lost or stored twice', async () => {
    const { store, audit } = audited();
    store.failure = AWAY;
    audit.used(reference());
    const storing = audit.storeUses();
    audit.used(reference());
    audit.used(reference({ version: 4 }));
    await storing;
    await audit.storeUses();
    store.failure = undefined;
    await audit.stop();
    expect(store.batches.map((batch) => batch.map(({ version, count }) => [version, count]))).toEqual([
      [
        [3, 2],
        [4, 1],
      ],
    ]);
    expect(warnings).not.toHaveBeenCalled();
  });

  test('beyond the bound are counted as lost, with one warning', async () => {
    const { store, audit } = audited(10);
    store.failure = AWAY;
    for (let version = 1; version <= 25; version += 1) {
      audit.used(reference({ version }));
      if (version === 5) await audit.storeUses();
    }
    audit.used(reference({ version: 1 }));
    expect(audit.usesLost).toBe(15);
    await audit.storeUses();
    await audit.storeUses();
    expect(warnings.mock.calls).toEqual([['15 uses of credentials were not counted', 'ProviderAuditWarning']]);
    store.failure = undefined;
    await audit.stop();
    expect(store.counted).toBe(11);
  });

  test('that are being stored count toward the bound', async () => {
    const { store, audit } = audited(2);
    let answered = () => {};
    store.answer = new Promise((resolve) => {
      answered = resolve;
    });
    for (const version of [1, 2]) audit.used(reference({ version }));
    const storing = audit.storeUses();
    audit.used(reference({ version: 3 }));
    expect(audit.usesLost).toBe(1);
    answered();
    await storing;
    audit.used(reference({ version: 4 }));
    expect(audit.usesLost).toBe(1);
  });

  test('that can never be stored do not block others', async () => {
    const { store, audit } = audited();
    store.failure = new ProviderError('ProviderConfigInvalid', 'a value cannot be stored');
    audit.used(reference());
    await audit.storeUses();
    expect(audit.usesLost).toBe(1);
    store.failure = undefined;
    audit.used(reference({ version: 4 }));
    await audit.stop();
    expect(store.batches).toMatchObject([[{ version: 4 }]]);
  });

  test('of different workflows are counted separately, regardless of their workflow ids', async () => {
    const { store, audit } = audited();
    for (const workflowId of ['a', 'a 3', '', 'a\0b']) await asAgent(workflowId, () => audit.used(reference()));
    await audit.storeUses();
    expect(store.batches[0]).toHaveLength(4);
  });
});

describe('a credential that does not open', () => {
  test('is reported once per process and version, with the worker and the workflow', async () => {
    const { store, report } = audited();
    await asAgent('agent-1', () => report(provider, 3));
    report(provider, 3);
    report(provider, 4);
    await vi.waitFor(() => expect(store.unreadable).toHaveLength(2));
    expect(store.unreadable).toEqual([
      { provider, version: 3, worker: 'agents-7', workflowId: 'agent-1' },
      { provider, version: 4, worker: 'agents-7', workflowId: undefined },
    ]);
  });

  test('is reported by the next step if Postgres was down, and fails no step', async () => {
    const { store, report } = audited();
    store.failure = AWAY;
    report(provider, 3);
    await new Promise(setImmediate);
    store.failure = undefined;
    report(provider, 3);
    await vi.waitFor(() => expect(store.unreadable).toHaveLength(1));
  });
});
