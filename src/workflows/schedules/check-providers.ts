/**
 * Asks the live services about the stored credential of each active provider, over all workspaces, one page of providers
 * per workflow history. Workspaces take turns, over all pages and within one: a workspace whose services hang does not
 * keep the others waiting. The answers are recorded. A rejected credential raises an event, once per version.
 */
import { continueAsNew, isCancellation } from '@temporalio/workflow';
import type { CheckProvidersInput, CheckTotals, ListedProvider } from '../../protocol/schedules.js';
import { inTurns } from '../fan-out.js';
import { operation, SERVICE_OPTIONS, STORE_OPTIONS } from '../rotation/proxies.js';

const NONE: CheckTotals = { checked: 0, ok: 0, rejected: 0, cannotTell: 0, failed: 0 };

export async function checkProviders({
  pageSize = 100,
  atOnce = 5,
  after,
  totals = NONE,
}: CheckProvidersInput): Promise<CheckTotals> {
  const list = operation('listActiveProviders', STORE_OPTIONS, 'list active providers');
  const page = await list({ after, limit: pageSize });
  const counts = { ...totals, checked: totals.checked + page.length };
  for (const outcome of await inTurns(page, atOnce, workspaceOf, check)) counts[outcome] += 1;
  if (page.length < pageSize) return counts;
  return continueAsNew<typeof checkProviders>({ pageSize, atOnce, after: page.at(-1), totals: counts });
}

function workspaceOf({ provider }: ListedProvider): string {
  return provider.workspaceId;
}

async function check({ provider }: ListedProvider): Promise<Exclude<keyof CheckTotals, 'checked'>> {
  const who = `${provider.type}/${provider.name} for ${provider.workspaceId}`;
  try {
    const { outcome } = await operation('checkStoredCredential', SERVICE_OPTIONS, `check · ${who}`)({ provider });
    return outcome === 'cannot-tell' ? 'cannotTell' : outcome;
  } catch (error) {
    if (isCancellation(error)) throw error;
    return 'failed';
  }
}
