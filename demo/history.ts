/**
 * Reads an agent's history as the Temporal server keeps it: which worker resolved what, and which secrets it contains.
 */
import type { WorkflowHandle } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import proto, { type temporal } from '@temporalio/proto';
import type { ProviderReference, ProviderUse, RpcReference } from '../src/protocol/references.js';
import { leaksIn } from '../testbed/secret-search.js';

type History = temporal.api.history.v1.IHistory;

/** One completed activity of an agent. */
export interface StepRecord {
  readonly step: string;
  readonly provider: string;
  readonly version: number;
  readonly source: string;
  readonly cache: string;
  /** The identity of the worker that completed it. */
  readonly worker: string;
}

export async function readHistory(workflow: WorkflowHandle): Promise<History> {
  return await workflow.fetchHistory();
}

export function stepsOf(history: History): StepRecord[] {
  const events = new Map((history.events ?? []).map((event) => [String(event.eventId), event]));
  return [...events.values()].flatMap((event) => {
    const completed = event.activityTaskCompletedEventAttributes;
    const payload = completed?.result?.payloads?.[0];
    if (!completed || !payload) return [];
    const scheduled = events.get(String(completed.scheduledEventId))?.activityTaskScheduledEventAttributes;
    const { name, version, source, cache } = useOf(defaultPayloadConverter.fromPayload(payload));
    const step = scheduled?.activityType?.name ?? '?';
    return [{ step, provider: name, version, source, cache, worker: completed.identity ?? '?' }];
  });
}

/**
 * A resolve returns a reference, to one provider or to a chain's endpoints. A step returns the provider that it used.
 */
function useOf(result: ProviderReference | RpcReference | { provider: ProviderUse }): ProviderUse {
  if ('provider' in result) return result.provider;
  if ('endpoints' in result) return result.endpoints[0] as ProviderReference;
  return result;
}

/**
 * The number of texts that the encoded history contains. It searches the bytes and not their JSON: in JSON the payloads
 * are base64, in which nothing would be found.
 */
export function countInHistory(history: History, texts: readonly string[]): number {
  return leaksIn(proto.temporal.api.history.v1.History.encode(history).finish(), texts).length;
}
