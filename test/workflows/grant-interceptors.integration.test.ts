/**
 * What a workflow refuses: signals, updates and queries that name another workspace, from whatever client or workflow.
 * The clients of `WorkspaceGrants` do not let them out, but between their check and the call an id may change hands.
 */
import { randomUUID } from 'node:crypto';
import { Client, type WorkflowClientInterceptor } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { describe, expect, test, vi } from 'vitest';
import { GRANT_HEADERS, SENDER_HEADER } from '../../src/protocol/grants.js';
import { acme, globex, NAMESPACE, useTwoWorkspaces } from '../client/two-workspaces.js';
import { askCheckedName, askName, isNamedYet, tell } from '../integration/granted-workflows.js';

const two = useTwoWorkspaces();

describe('a workflow itself', () => {
  const text = (value: string) => ({ fields: { [SENDER_HEADER]: defaultPayloadConverter.toPayload(value) } });
  const signal = (workflowId: string, header: object) =>
    two.bare.workflowService.signalWorkflowExecution({
      ...{ namespace: NAMESPACE, workflowExecution: { workflowId }, signalName: 'tellName', header },
      requestId: randomUUID(),
    });

  test("drops a signal that another workspace's client or workflow sent [G3]", async () => {
    const handle = await two.waiting(two.theirs);
    const { workflowId } = handle;
    await signal(workflowId, text(acme));
    const grant = await two.signer.sign('workspace', {
      ...{ subject: acme, namespace: NAMESPACE, workflowIds: [workflowId] },
    });
    await signal(workflowId, { fields: { [GRANT_HEADERS.workspace]: defaultPayloadConverter.toPayload(grant) } });
    await two.ours.workflow.execute(tell, { ...two.newOptions(), args: [workflowId] });
    expect(await handle.query(isNamedYet)).toBe(false);
    expect((await two.eventsOf(handle)).filter((name) => name.startsWith('workflowExecutionSignaled'))).toHaveLength(3);
    await two.theirs.workflow.execute(tell, { ...two.newOptions(), args: [workflowId] });
    expect(await handle.result()).toBe(globex);
    // Temporal's core hands its log on a little later.
    const dropped = { level: 'WARN', message: expect.stringContaining('a signal was dropped') };
    await vi.waitFor(() => expect(two.stage.logged).toContainEqual(expect.objectContaining(dropped)), 10_000);
  });

  test('refuses an update and a query that name another workspace [G3]', async () => {
    const handle = await two.waiting(two.theirs);
    const execution = { workflowId: handle.workflowId };
    const query = { queryType: 'isNamedYet', header: text(acme) };
    await expect(two.bare.workflowService.queryWorkflow({ namespace: NAMESPACE, execution, query })).rejects.toThrow(
      'another workspace sent it',
    );
    const naming: WorkflowClientInterceptor = {
      startUpdate: (input, next) => next({ ...input, headers: text(acme).fields }),
    };
    const raw = new Client({ connection: two.stage.client.connection, interceptors: { workflow: [naming] } });
    for (const update of [askName, askCheckedName]) {
      const updating = raw.workflow.getHandle(handle.workflowId).executeUpdate(update);
      await expect(updating).rejects.toMatchObject({
        cause: { type: 'GrantInvalid', message: 'the update was refused, because another workspace sent it' },
      });
    }
    expect(await handle.query(isNamedYet)).toBe(false);
    // A sender who names none is a client without grants, which Temporal's authorization must keep out.
    await signal(handle.workflowId, {});
    expect(await handle.result()).toBe(globex);
  });

  test('without a grant, hears everybody', async () => {
    const handle = await two.waiting(two.bare);
    await signal(handle.workflowId, text(acme));
    await expect(handle.result()).rejects.toThrow('Workflow execution failed');
    expect(await two.eventsOf(handle)).toContain('workflowExecutionFailedEventAttributes');
  });
});
