/** The number of queries per resolve, counted by Postgres and not by our own counters. */
import { beforeAll, expect, test, vi } from 'vitest';
import type { WorkspaceProviders } from '../../src/index.js';
import { newWorkspace, useAgentStage } from '../support/agent-stage.js';
import { withSession } from '../support/database.js';

const stage = useAgentStage();
const [workspaceId, ...others] = [newWorkspace(), newWorkspace(), newWorkspace(), newWorkspace()] as const;

beforeAll(async () => {
  for (const each of [workspaceId, ...others]) await stage.addLlm(each);
  // Applies to new sessions from here on, so the earlier reads of the manager are not counted.
  await withSession(stage.database.ownerUrl, (session) =>
    session.query(`alter database ${new URL(stage.database.ownerUrl).pathname.slice(1)} set track_functions = 'pl'`),
  );
});

/** The number of calls of `read_workspace` while `work` ran on a new worker. */
async function queriesOf(work: (providers: WorkspaceProviders) => Promise<unknown>): Promise<number> {
  const before = await calls();
  const providers = await stage.connect();
  await work(providers);
  await providers.close();
  // A session adds its counts at the latest when it ends, and a pooler would keep it open.
  await vi.waitFor(async () => expect(await endedSessions()).toBe(0), { timeout: 20_000 });
  return (await calls()) - before;
}

const calls = () =>
  count(`select coalesce(sum(calls), 0) as count from pg_stat_user_functions where funcname = 'read_workspace'`);

/** Ends the sessions of the worker's login, and returns their number. */
const endedSessions = () => {
  const login = new URL(stage.database.resolverUrl).username;
  return count(`select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = '${login}'`);
};

function count(query: string): Promise<number> {
  return withSession(stage.database.ownerUrl, async (session) => Number((await session.query(query)).rows[0].count));
}

test('a thousand concurrent resolves of one uncached credential make one query', async () => {
  const queries = await queriesOf(async ({ resolver }) => {
    const resolves = Array.from({ length: 1_000 }, () =>
      resolver.resolveLlmKey({ workspaceId: workspaceId, provider: 'anthropic' }),
    );
    const references = await Promise.all(resolves);
    expect(references.every(({ version }) => version === 1)).toBe(true);
  });
  expect(queries).toBe(1);
});

test('resolves for three workspaces make three queries', async () => {
  const resolveAll = ({ resolver }: WorkspaceProviders) =>
    Promise.all(others.map((each) => resolver.resolveLlmKey({ workspaceId: each, provider: 'anthropic' })));
  expect(await queriesOf(resolveAll)).toBe(3);
});
