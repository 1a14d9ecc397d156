/**
 * What the client of one workspace may do with the workflows and schedules of another: nothing, whatever part of the
 * client it uses. On a real Temporal.
 */
import { randomUUID } from 'node:crypto';
import { WithStartWorkflowOperation } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import { askName, chain, family, isNamedYet, tellName, untilNamed, whose } from '../integration/granted-workflows.js';
import { uniqueName } from '../support/parts.js';
import { acme, globex, NAMESPACE, useTwoWorkspaces } from './two-workspaces.js';

const NOBODY = uniqueName('nobody');
const FOREIGN = { type: 'GrantInvalid', message: expect.stringContaining('carries no grant of the workspace') };

const two = useTwoWorkspaces();

type Attempt = (id: string, runId: string) => Promise<unknown>;

describe('of a workflow of another workspace, a client may not', () => {
  const options = (workflowId: string) => ({ workflowId, taskQueue: NOBODY });
  const startOf = (workflowId: string, policy: 'USE_EXISTING' | 'TERMINATE_EXISTING') =>
    new WithStartWorkflowOperation(untilNamed, { ...options(workflowId), workflowIdConflictPolicy: policy });
  const ATTEMPTS: Readonly<Record<string, Attempt>> = {
    'read the result': (id) => two.ours.workflow.getHandle(id).result(),
    'read the result of a run': (id, runId) => two.ours.workflow.getHandle(id, runId).result(),
    'read the result by the client': (id) => two.ours.workflow.result(id),
    'read the history': (id) => two.ours.workflow.getHandle(id).fetchHistory(),
    'read the history of a run': (id, runId) => two.ours.workflow.getHandle(id, runId).fetchHistory(),
    'describe it': (id) => two.ours.workflow.getHandle(id).describe(),
    'query it': (id) => two.ours.workflow.getHandle(id).query(isNamedYet),
    'signal it': (id) => two.ours.workflow.getHandle(id).signal(tellName, 'a'),
    'signal a run': (id, runId) => two.ours.workflow.getHandle(id, runId).signal(tellName, 'a'),
    'update it': (id) => two.ours.workflow.getHandle(id).executeUpdate(askName),
    'update a chain of runs': (id, runId) =>
      two.ours.workflow.getHandle(id, undefined, { firstExecutionRunId: runId }).executeUpdate(askName),
    'wait for an update': (id) => two.ours.workflow.getHandle(id).getUpdateHandle('a').result(),
    'cancel it': (id) => two.ours.workflow.getHandle(id).cancel(),
    'terminate it': (id) => two.ours.workflow.getHandle(id).terminate(),
    'signal it with a start': (id) =>
      two.ours.workflow.signalWithStart(untilNamed, { ...options(id), signal: tellName, signalArgs: ['a'] }),
    'use it instead of a start': (id) =>
      two.ours.workflow.start(untilNamed, { ...options(id), workflowIdConflictPolicy: 'USE_EXISTING' }),
    'use it instead of a start, for its result': (id) =>
      two.ours.workflow.execute(untilNamed, { ...options(id), workflowIdConflictPolicy: 'USE_EXISTING' }),
    'replace it by a start': (id) =>
      two.ours.workflow.start(untilNamed, { ...options(id), workflowIdConflictPolicy: 'TERMINATE_EXISTING' }),
    'replace it by a start with the older policy': (id) =>
      two.ours.workflow.start(untilNamed, { ...options(id), workflowIdReusePolicy: 'TERMINATE_IF_RUNNING' as never }),
    'replace it by a start with a signal': (id) =>
      two.ours.workflow.signalWithStart(untilNamed, {
        ...{ ...options(id), workflowIdConflictPolicy: 'TERMINATE_EXISTING' },
        ...{ signal: tellName, signalArgs: ['a'] },
      }),
    'update it with a start': (id) =>
      two.ours.workflow.executeUpdateWithStart(askName, { startWorkflowOperation: startOf(id, 'USE_EXISTING') }),
    'complete an activity of it': (id) => two.ours.activity.complete({ workflowId: id, activityId: '1' }, 'a'),
    'fail an activity of it': (id) => two.ours.activity.fail({ workflowId: id, activityId: '1' }, new Error('a')),
    'heartbeat for an activity of it': (id) => two.ours.activity.heartbeat({ workflowId: id, activityId: '1' }),
    'reset it by a raw call': (workflowId, runId) =>
      two.ours.workflowService.resetWorkflowExecution({
        ...{ namespace: NAMESPACE, workflowExecution: { workflowId, runId } },
        ...{ workflowTaskFinishEventId: 3 as never, requestId: randomUUID() },
      }),
    'signal it by a raw call of the connection': (workflowId) =>
      two.ours.connection.workflowService.signalWorkflowExecution({
        ...{ namespace: NAMESPACE, workflowExecution: { workflowId }, signalName: 'tellName' },
      }),
    'signal it by a raw call of a handle': (workflowId) =>
      two.ours.workflow.getHandle(workflowId).client.workflowService.signalWorkflowExecution({
        ...{ namespace: NAMESPACE, workflowExecution: { workflowId }, signalName: 'tellName' },
      }),
  };
  /** The SDK hides every error but that of an activity that does not exist. */
  const HIDDEN = /activity of it/;

  async function refused(what: string, attempt: Attempt, id: string, runId: string) {
    const error = HIDDEN.test(what) ? { name: 'ActivityCompletionError', message: 'Unexpected failure' } : FOREIGN;
    await expect(attempt(id, runId)).rejects.toMatchObject(error);
  }

  test.each(Object.entries(ATTEMPTS))('%s [G3]', async (what, attempt) => {
    const handle = await two.waiting(two.theirs);
    const before = await two.eventsOf(handle);
    await refused(what, attempt, handle.workflowId, handle.firstExecutionRunId);
    const after = (await two.eventsOf(handle)).filter((name) => !name.startsWith('workflowTask'));
    expect(after).toEqual(before.filter((name) => !name.startsWith('workflowTask')));
    expect((await two.bare.workflow.getHandle(handle.workflowId).describe()).status.name).toBe('RUNNING');
    await two.bare.workflow.getHandle(handle.workflowId).terminate();
  });

  test('do any of it by the id of a child, or of a workflow without a grant or with that of an operator [G3]', async () => {
    const options = two.newOptions();
    await two.theirs.workflow.execute(family, { ...options, args: [1] });
    const [withoutGrant, ofOperator] = await Promise.all([
      two.waiting(two.bare),
      two.waiting(two.grants.operatorClient('ann')),
    ]);
    const ids = [`${options.workflowId}/a-name-of-its-own`, withoutGrant.workflowId, ofOperator.workflowId];
    for (const id of ids) {
      for (const what of ['read the result', 'signal it', 'terminate it', 'describe it']) {
        await refused(what, ATTEMPTS[what] as Attempt, id, '');
      }
    }
    for (const handle of [withoutGrant, ofOperator]) await two.bare.workflow.getHandle(handle.workflowId).terminate();
  });

  test('read anything after it has closed [G3]', async () => {
    const handle = await two.waiting(two.theirs);
    await handle.signal(tellName, 'a');
    expect(await handle.result()).toBe(globex);
    for (const what of ['read the result', 'read the result of a run', 'read the history', 'describe it', 'query it']) {
      await refused(what, ATTEMPTS[what] as Attempt, handle.workflowId, handle.firstExecutionRunId);
    }
    // Its id is free, and what starts under it works for the other workspace.
    const reused = await two.ours.workflow.start(whose, two.newOptions(handle.workflowId));
    expect(await reused.result()).toBe(acme);
    await expect(two.theirs.workflow.getHandle(handle.workflowId).result()).rejects.toMatchObject(FOREIGN);
    expect(await two.theirs.workflow.getHandle(handle.workflowId, handle.firstExecutionRunId).result()).toBe(globex);
  });

  test('make calls that name neither a workflow nor a schedule [G3]', async () => {
    const call = two.ours.workflowService.deleteWorkflowExecution({ namespace: NAMESPACE, workflowExecution: {} });
    await expect(call).rejects.toMatchObject({ type: 'GrantInvalid', message: expect.stringContaining('this call') });
  });
});

describe('of a schedule of another workspace, a client may not', () => {
  const action = () => ({ type: 'startWorkflow', workflowType: whose, ...two.newOptions() }) as const;
  const schedule = async () =>
    two.theirs.schedule.create({ scheduleId: uniqueName('boundary'), spec: {}, action: action() });

  test.each<[string, (id: string) => Promise<unknown>]>([
    ['describe it', (id) => two.ours.schedule.getHandle(id).describe()],
    ['pause it', (id) => two.ours.schedule.getHandle(id).pause()],
    ['resume it', (id) => two.ours.schedule.getHandle(id).unpause()],
    ['trigger it', (id) => two.ours.schedule.getHandle(id).trigger()],
    ['backfill it', (id) => two.ours.schedule.getHandle(id).backfill({ start: new Date(0), end: new Date(1) })],
    [
      'change it',
      (id) => two.ours.schedule.getHandle(id).update(({ state }) => ({ spec: {}, action: action(), state })),
    ],
    ['delete it', (id) => two.ours.schedule.getHandle(id).delete()],
  ])('%s [G3]', async (_, attempt) => {
    const handle = await schedule();
    try {
      await expect(attempt(handle.scheduleId)).rejects.toMatchObject(FOREIGN);
      expect((await handle.describe()).info.numActionsTaken).toBe(0);
    } finally {
      await handle.delete();
    }
  });
});

describe('ids of rotations and schedules of this package are refused', () => {
  const RESERVED = {
    type: 'ProviderConfigInvalid',
    message: expect.stringMatching(/^(workflow|schedule)Id must not begin/),
  };

  test.each(['rotate', `rotate/${acme}/llm/anthropic`, 'workspace-providers/rotate-due', 'workspace-providers'])(
    '%s [G3]',
    async (id) => {
      const start = new WithStartWorkflowOperation(whose, { ...two.newOptions(id), workflowIdConflictPolicy: 'FAIL' });
      start.workflowHandle().catch(() => {});
      const action = { type: 'startWorkflow', workflowType: whose, ...two.newOptions(id) } as const;
      const attempts = [
        two.ours.workflow.start(whose, two.newOptions(id)),
        two.ours.workflow.signalWithStart(untilNamed, { ...two.newOptions(id), signal: tellName, signalArgs: ['a'] }),
        two.ours.workflow.executeUpdateWithStart(askName, { startWorkflowOperation: start }),
        two.ours.workflow.getHandle(id).terminate(),
        two.ours.schedule.create({
          scheduleId: id,
          spec: {},
          action: { ...action, workflowId: uniqueName('boundary') },
        }),
        two.ours.schedule.create({ scheduleId: uniqueName('boundary'), spec: {}, action }),
        two.ours.schedule.getHandle(id).delete(),
      ];
      for (const attempt of await Promise.allSettled(attempts)) {
        expect(attempt).toMatchObject({ status: 'rejected', reason: RESERVED });
      }
    },
  );

  test('and a neighbor of them is not', async () => {
    expect(await two.ours.workflow.execute(whose, two.newOptions(uniqueName('rotate')))).toBe(acme);
  });
});

describe('of its own workspace, a client may', () => {
  test('use, signal, update, query and end what it or another client of the workspace started', async () => {
    const options = two.newOptions();
    const started = await two.grants.clientFor(acme).workflow.start(untilNamed, options);
    const handle = two.ours.workflow.getHandle<typeof untilNamed>(options.workflowId);
    expect(await handle.query(isNamedYet)).toBe(false);
    const used = await two.ours.workflow.start(untilNamed, { ...options, workflowIdConflictPolicy: 'USE_EXISTING' });
    expect(used.firstExecutionRunId).toBe(started.firstExecutionRunId);
    const startWorkflowOperation = new WithStartWorkflowOperation(untilNamed, {
      ...options,
      workflowIdConflictPolicy: 'USE_EXISTING',
    });
    expect(await two.ours.workflow.executeUpdateWithStart(askName, { startWorkflowOperation })).toBe(acme);
    expect(await handle.result()).toBe(acme);

    const signaled = { ...two.newOptions(), signal: tellName, signalArgs: ['a'] as [string] };
    const running = await two.waiting(two.ours, signaled.workflowId);
    await two.ours.workflow.signalWithStart(untilNamed, signaled);
    expect(await running.result()).toBe(acme);

    const ended = await Promise.all([two.waiting(two.ours), two.waiting(two.ours)]);
    await ended[0].terminate();
    await ended[1].cancel();
    for (const each of ended) await expect(each.result()).rejects.toMatchObject({ name: 'WorkflowFailedError' });
  });

  test('read children and runs that continue another', async () => {
    const [parent, continued] = [two.newOptions(), two.newOptions()];
    await two.ours.workflow.execute(family, { ...parent, args: [1] });
    expect(await two.ours.workflow.getHandle(`${parent.workflowId}/a-name-of-its-own`).result()).toBe(acme);
    const first = await two.ours.workflow.start(chain, { ...continued, args: [1] });
    expect(await first.result()).toBe(acme);
    expect((await two.ours.workflow.getHandle(continued.workflowId).describe()).runId).not.toBe(
      first.firstExecutionRunId,
    );
  });

  test('learn that a workflow does not exist', async () => {
    const handle = two.ours.workflow.getHandle(uniqueName('boundary'));
    const attempts = [handle.describe(), handle.signal(tellName, 'a'), handle.result(), handle.terminate()];
    for (const attempt of await Promise.allSettled(attempts)) {
      expect(attempt).toMatchObject({ status: 'rejected', reason: { name: 'WorkflowNotFoundError' } });
    }
  });
});
