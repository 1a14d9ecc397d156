/** Steps that name their providers, on a real Temporal: one activity each, and never an older key than was seen. */
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { scheduledNames, summariesOf } from '../../integration/history.js';
import { leaksOf } from '../../integration/leaks.js';
import { newWorkspace, UNFENCED, useAgentStage } from '../../support/agent-stage.js';
import { uniqueName } from '../../support/parts.js';
import type { Turn, takeTurns } from './turns.js';

const stage = useAgentStage({ chain: true });
/** The task queues of two workers. Without notifications, each keeps what it has read for the length of these tests. */
let here: string;
let there: string;

beforeAll(async () => {
  const config = { listenDatabaseUrl: 'off' };
  const workflowsPath = fileURLToPath(new URL('turns.ts', import.meta.url));
  here = (await stage.startWorker({ workflowsPath, config })).taskQueue;
  there = (await stage.startWorker({ config })).taskQueue;
});

async function take(workspaceId: string, turns: readonly Turn[]) {
  const agent = await stage.grants.clientFor(workspaceId).workflow.start<typeof takeTurns>('takeTurns', {
    ...{ taskQueue: here, workflowId: uniqueName('turns'), args: [{ workspaceId, turns }] },
  });
  return { agent, said: await agent.result() };
}

const saidIn = async (workspaceId: string, turns: readonly Turn[]) => (await take(workspaceId, turns)).said;

const asked = (taskQueue = here, provider: Turn['provider'] = 'gemini'): Turn => ({
  ...{ what: 'ask by name', taskQueue, provider },
});
const answersTo = (workspaceId: string) => {
  const calls = stage.llm.calls().filter(({ expectedOwner }) => expectedOwner === workspaceId);
  return calls.map(({ status }) => status);
};

describe('a step by name', () => {
  test('is one activity, whose history has neither a reference nor a key [G4]', async () => {
    const workspaceId = newWorkspace();
    await Promise.all([
      stage.addLlm(workspaceId, 'gemini'),
      stage.addEndpoint(workspaceId, 'main'),
      stage.addTenderly(workspaceId),
    ]);
    const { chainId } = stage.chain;
    const turns: Turn[] = [asked(), { what: 'read by chain', chainId }, { what: 'simulate', chainId }];
    const { agent, said } = await take(workspaceId, turns);
    expect(said).toEqual(['gemini 1', 'main 1', 'default 1']);
    const history = await agent.fetchHistory();
    expect(scheduledNames(history)).toEqual(['llmStep', 'rpcStep', 'tenderlyStep']);
    expect(summariesOf(history)).toEqual([
      'gemini',
      `eth_chainId on chain ${chainId}`,
      `simulate on ${chainId} · default`,
    ]);
    expect(await leaksOf(agent, [workspaceId, '…'])).toEqual([workspaceId]);
    expect(await leaksOf(agent, stage.secrets)).toEqual([]);
  });

  test('is answered by the first provider of its list that the workspace has and that is active', async () => {
    const workspaceId = newWorkspace();
    await Promise.all([stage.addLlm(workspaceId, 'openai-compatible'), stage.addLlm(workspaceId, 'openai')]);
    await stage.manager.disableProvider({ workspaceId, type: 'llm', name: 'openai' }, UNFENCED);
    const names = ['gemini', 'openai', 'local-model'];
    expect(await saidIn(workspaceId, [asked(here, names)])).toEqual(['local-model 1']);
  });

  test('has a summary that Temporal takes, however long its list is', async () => {
    const workspaceId = newWorkspace();
    await stage.addLlm(workspaceId, 'gemini');
    const names = [...Array.from({ length: 199 }, (_, each) => `${each}-`.padEnd(64, 'n')), 'gemini'];
    const { agent, said } = await take(workspaceId, [asked(here, names)]);
    expect(said).toEqual(['gemini 1']);
    expect(summariesOf(await agent.fetchHistory())).toEqual([expect.stringMatching(/ or 197 more$/)]);
  });

  test('fails as a resolve does: without the provider, if it is disabled, and for another workspace [G3]', async () => {
    const workspaceId = newWorkspace();
    await stage.addLlm(workspaceId, 'openai');
    await stage.manager.disableProvider({ workspaceId, type: 'llm', name: 'openai' }, UNFENCED);
    const other = newWorkspace();
    await stage.addLlm(other, 'gemini');
    const turns: Turn[] = [
      asked(here, ['gemini', 'local-model']),
      asked(here, ['gemini', 'openai']),
      { ...asked(), workspaceId: other },
      { what: 'read by chain', chainId: 1, workspaceId: other },
      { what: 'read by chain', chainId: 1 },
      { what: 'simulate', chainId: 1 },
      { ...asked(), more: { fallbacks: [{ ...REFERENCE, workspaceId: other }] } },
    ];
    expect(await saidIn(workspaceId, turns)).toEqual([
      ...['ProviderNotConfigured', 'ProviderDisabled', 'GrantInvalid', 'GrantInvalid'],
      ...['ProviderNotConfigured', 'ProviderNotConfigured', 'GrantInvalid'],
    ]);
    expect(answersTo(other)).toEqual([]);
  });
});

describe('no step goes back to an older key than its workflow has seen [G16]', () => {
  /** The worker `there` has the older key in its cache, and the worker `here` has read nothing. */
  async function rotated(service: 'gemini' | 'openai-compatible' = 'gemini') {
    const workspaceId = newWorkspace();
    const old = await stage.addLlm(workspaceId, service);
    const name = service === 'gemini' ? service : 'local-model';
    expect(await saidIn(workspaceId, [asked(there, name)])).toEqual([`${name} 1`]);
    await stage.addLlm(workspaceId, service);
    return { workspaceId, old };
  }

  test('a worker that has the older key in its cache would use it', async () => {
    const { workspaceId } = await rotated();
    expect(await saidIn(workspaceId, [asked(there)])).toEqual(['gemini 1']);
  });

  test.each<[string, readonly (readonly [Turn['what'], 'here' | 'there'])[]]>([
    [
      'by name',
      [
        ['ask by name', 'here'],
        ['ask by name', 'there'],
      ],
    ],
    [
      'by name after a resolve',
      [
        ['resolve', 'here'],
        ['ask by name', 'there'],
      ],
    ],
    [
      'by name after a step by reference',
      [
        ['resolve', 'here'],
        ['ask by reference', 'here'],
        ['ask by name', 'there'],
      ],
    ],
    [
      'by a resolve after a step by name',
      [
        ['ask by name', 'here'],
        ['resolve', 'there'],
        ['ask by reference', 'there'],
      ],
    ],
    [
      'in the next run',
      [
        ['ask by name', 'here'],
        ['go on as new', 'here'],
        ['ask by name', 'there'],
      ],
    ],
    [
      'in a child',
      [
        ['ask by name', 'here'],
        ['go on in a child', 'here'],
        ['ask by name', 'there'],
      ],
    ],
    [
      'in the next run of a child',
      [
        ...([
          ['ask by name', 'here'],
          ['go on in a child', 'here'],
          ['go on as new', 'here'],
          ['resolve', 'there'],
        ] as const),
      ],
    ],
  ])('%s', async (_, turns) => {
    const { workspaceId } = await rotated();
    const said = await saidIn(
      workspaceId,
      turns.map(([what, where]) => ({ what, taskQueue: where === 'here' ? here : there })),
    );
    expect(new Set(said)).toEqual(new Set(['gemini 2']));
  });

  test('by a reference that is older than a step by name', async () => {
    const { workspaceId } = await rotated();
    const turns: Turn[] = [
      { what: 'resolve', taskQueue: there },
      asked(here),
      { what: 'ask by reference', taskQueue: there },
    ];
    expect(await saidIn(workspaceId, turns)).toEqual(['gemini 1', 'gemini 2', 'gemini 2']);
  });

  test.each<[string, Partial<Turn>]>([
    ['of a list', { provider: ['openai', 'local-model', 'gemini'] }],
    ['by a fallback', { provider: ['openai', 'gemini'], more: { fallbacks: ['local-model'] } }],
  ])('%s', async (_, turn) => {
    const { workspaceId } = await rotated('openai-compatible');
    const turns = [asked(here, 'local-model'), { ...asked(there), ...turn }];
    expect(await saidIn(workspaceId, turns)).toEqual(['local-model 2', 'local-model 2']);
  });

  test('after a key was refused and read again within the step, on any other worker', async () => {
    const { workspaceId, old } = await rotated();
    expect(await saidIn(workspaceId, [asked(here)])).toEqual(['gemini 2']);
    stage.llm.revoke(old);
    await stage.addLlm(workspaceId, 'gemini');
    const { agent, said } = await take(workspaceId, [asked(there), asked(here)]);
    expect(said).toEqual(['gemini 3', 'gemini 3']);
    // Gemini refuses a key with 400.
    expect(answersTo(workspaceId)).toEqual([200, 200, 400, 200, 200]);
    expect(scheduledNames(await agent.fetchHistory())).toEqual(['llmStep', 'llmStep']);
    expect(await leaksOf(agent, stage.secrets)).toEqual([]);
  });
});

describe('a read by chain', () => {
  const read = (taskQueue = here): Turn => ({ what: 'read by chain', taskQueue, chainId: stage.chain.chainId });

  test('asks the next endpoint if one is unavailable', async () => {
    const workspaceId = newWorkspace();
    await stage.addEndpoint(workspaceId, 'spare', { priority: 20 });
    await stage.addEndpoint(workspaceId, 'first', { priority: 10 });
    stage.chain.gateway.failNext({ status: 503, owner: `${workspaceId} first` });
    expect(await saidIn(workspaceId, [read(), read()])).toEqual(['spare 1', 'first 1']);
  });

  test('never goes back to an older key than was seen, by a read or by a resolve [G16]', async () => {
    const workspaceId = newWorkspace();
    await stage.addEndpoint(workspaceId, 'first');
    expect(await saidIn(workspaceId, [read(there)])).toEqual(['first 1']);
    await stage.addEndpoint(workspaceId, 'first');
    expect(await saidIn(workspaceId, [read(there)]), 'its cache is outdated').toEqual(['first 1']);
    const resolved: Turn = { ...read(), what: 'resolve chain' };
    expect(await saidIn(workspaceId, [resolved, read(there)])).toEqual(['first 2', 'first 2']);
    await stage.addEndpoint(workspaceId, 'first');
    expect(await saidIn(workspaceId, [read(there)]), 'its cache is outdated').toEqual(['first 2']);
  });
});

const REFERENCE = {
  ...{ type: 'llm', name: 'gemini', version: 1, source: 'workspace', cache: 'hit', shown: {} },
};
