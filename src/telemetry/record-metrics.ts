/** Records what an observer reports, in instruments of any kind. */
import type { EndedWork, Happening } from '../observer/observed.js';
import type { Listener } from '../observer/observer.js';
import type { ProviderIdentity } from '../protocol/references.js';
import { modelAttributes } from './gen-ai.js';
import type { Attributes, MetricOf } from './metrics-table.js';

/** Where values are recorded. */
export interface Instruments {
  add(name: MetricOf<'counter'>, value: number, attributes: Attributes): void;
  record(name: MetricOf<'histogram'>, value: number, attributes: Attributes): void;
}

/**
 * The number of values of one attribute that are told apart: the others count as `_OTHER`. Names of models and types are
 * chosen by others, and no choice may make the number of time series grow without a limit.
 */
export const MAX_VALUES = 200;
const OTHER = '_OTHER';

/** @param workspaces - the workspaces whose id becomes an attribute; the operator has named them */
export function metricsListener(instruments: Instruments, workspaces: ReadonlySet<string>): Listener {
  const seen = new Map<string, Set<string | number>>();
  const bounded = (attributes: Record<string, string | number | undefined>): Attributes => {
    const kept: Record<string, string | number> = {};
    for (const [name, value] of Object.entries(attributes)) {
      if (value === undefined) continue;
      const values = seen.get(name) ?? new Set();
      seen.set(name, values);
      if (values.size < MAX_VALUES) values.add(value);
      kept[name] = values.has(value) ? value : OTHER;
    }
    return kept;
  };
  const workspaceOf: WorkspaceOf = ({ workspaceId }): Attributes =>
    workspaces.has(workspaceId) ? { workspace: workspaceId } : {};
  return {
    ends: (work) => recordEnd(work, instruments, workspaceOf, bounded),
    happened: (happening) => recordHappening(happening, instruments, workspaceOf, bounded),
  };
}

type WorkspaceOf = (of: Pick<ProviderIdentity, 'workspaceId'>) => Attributes;
type Bounded = (attributes: Record<string, string | number | undefined>) => Attributes;

function recordEnd(work: EndedWork, to: Instruments, workspaceOf: WorkspaceOf, bounded: Bounded): void {
  const seconds = work.tookMs / 1_000;
  const failed = { 'error.type': work.failure };
  switch (work.work) {
    case 'resolve': {
      const { begun, ended } = work;
      const about = { type: begun.type, ...workspaceOf(ended ?? begun) };
      const found = { source: ended?.source, cache: ended?.cache };
      to.record('workspace_providers.resolve.duration', seconds, bounded({ ...about, ...found, ...failed }));
      if (work.failure) to.add('workspace_providers.failures', 1, bounded({ ...about, ...failed }));
      return;
    }
    case 'open': {
      const about = { type: work.begun.type, ...workspaceOf(work.begun) };
      to.record('workspace_providers.open.duration', seconds, bounded({ ...about, ...failed }));
      if (work.failure) to.add('workspace_providers.failures', 1, bounded({ ...about, ...failed }));
      if (work.ended?.isHealed) to.add('workspace_providers.credentials.healed', 1, bounded(about));
      return;
    }
    case 'request': {
      const answered = {
        'http.request.method': work.begun.method,
        'http.response.status_code': work.ended?.status,
        ...failed,
      };
      to.record('workspace_providers.request.duration', seconds, bounded(answered));
      return;
    }
    case 'stage':
      to.record(
        'workspace_providers.rotation.stage.duration',
        seconds,
        bounded({ stage: work.begun.stage, ...failed }),
      );
      return;
    case 'statement':
      to.record('workspace_providers.store.duration', seconds, bounded({ statement: work.begun.statement, ...failed }));
      return;
    case 'model': {
      const about = { ...modelAttributes(work.begun), ...workspaceOf(work.begun) };
      to.record('gen_ai.client.operation.duration', seconds, bounded({ ...about, ...failed }));
      const { inputTokens, outputTokens } = work.ended ?? {};
      for (const [type, tokens] of [['input', inputTokens] as const, ['output', outputTokens] as const]) {
        if (tokens === undefined) continue;
        to.record('gen_ai.client.token.usage', tokens, bounded({ ...about, 'gen_ai.token.type': type }));
      }
    }
  }
}

function recordHappening(event: Happening, to: Instruments, workspaceOf: WorkspaceOf, bounded: Bounded): void {
  switch (event.what) {
    case 'rejected':
    case 'unreadable': {
      const about = bounded({ type: event.provider.type, ...workspaceOf(event.provider) });
      to.add(`workspace_providers.credentials.${event.what}`, 1, about);
      return;
    }
    case 'renewed':
      to.record('workspace_providers.lease.renewal.duration', event.tookMs / 1_000, {});
      return;
    case 'fenced':
      to.record('workspace_providers.fence.lag', event.tookMs / 1_000, {
        outcome: event.complete ? 'complete' : 'incomplete',
      });
      for (const [outcome, count] of Object.entries(event.workers)) {
        if (count > 0) to.add('workspace_providers.fence.workers', count, { outcome });
      }
      return;
    case 'drained': {
      const outcome = event.holders > 0 ? 'held' : 'drained';
      to.record('workspace_providers.drain.duration', event.tookMs / 1_000, { outcome });
      if (event.holders > 0) to.add('workspace_providers.drain.holders', event.holders, {});
      return;
    }
    case 'rotation-ended':
      to.add('workspace_providers.rotation.ended', 1, bounded({ outcome: event.state }));
      return;
    case 'checked':
      to.add('workspace_providers.checks', 1, bounded({ type: event.type, outcome: event.outcome }));
      return;
    case 'grant-refused':
      to.add('workspace_providers.grants.refused', 1, bounded({ kind: event.kind, cause: event.cause }));
      return;
    // Their counts are read.
    case 'renewal-failed':
    case 'lease-lost':
    case 'uses-lost':
  }
}
