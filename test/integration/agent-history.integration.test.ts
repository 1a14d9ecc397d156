/**
 * The history of the example agent, by the form of its steps: docs/benchmarks.md. Its figures are printed by
 *
 *     npm run build && npx vitest run --project integration test/integration/agent-history.integration.test.ts
 */
import { fileURLToPath } from 'node:url';
import proto from '@temporalio/proto';
import { beforeAll, expect, test } from 'vitest';
import { FUNDED_ADDRESS, newWorkspace, useAgentStage } from '../support/agent-stage.js';
import { uniqueName } from '../support/parts.js';
import { scheduledNames } from './history.js';

const { History } = proto.temporal.api.history.v1;

const FORMS = {
  byReference: 'a resolve and a step',
  byLocalReference: 'the same, with local resolves',
  byName: 'one activity per step',
  byNameWithLocalReads: 'the same, with local reads of the chain',
} as const;

type Form = keyof typeof FORMS;

interface Size {
  readonly activities: number;
  readonly local: number;
  readonly events: number;
  readonly bytes: number;
}

const stage = useAgentStage({ chain: true });
const sizes = new Map<Form, Size>();

beforeAll(async () => {
  const workflowsPath = fileURLToPath(new URL('agent-forms.ts', import.meta.url));
  const { taskQueue } = await stage.startWorker({ workflowsPath });
  // Of one length, so that the names do not change the bytes.
  const workspaceId = newWorkspace();
  await Promise.all([
    stage.addLlm(workspaceId),
    stage.addEndpoint(workspaceId, 'main'),
    stage.addTenderly(workspaceId),
  ]);
  const question = {
    ...{ question: `Can ${workspaceId} pay?`, address: FUNDED_ADDRESS, chainId: stage.chain.chainId },
  };
  for (const form of Object.keys(FORMS) as Form[]) {
    const { workflow } = stage.grants.clientFor(workspaceId);
    const agent = await workflow.start(form, { taskQueue, workflowId: uniqueName('agent'), args: [question] });
    await agent.result();
    const history = await agent.fetchHistory();
    const events = history.events ?? [];
    sizes.set(form, {
      activities: scheduledNames(history).length,
      local: events.filter(({ markerRecordedEventAttributes: marker }) => marker?.markerName === 'core_local_activity')
        .length,
      events: events.length,
      bytes: History.encode(history).finish().length,
    });
  }
  const lines = [...sizes].map(([form, { activities, local, events, bytes }]) => {
    return `| ${FORMS[form]} | ${activities}${local > 0 ? ` and ${local} local` : ''} | ${events} | ${bytes} |`;
  });
  console.log(
    ['| the example agent | activities | events | bytes |', '| --- | --- | --- | --- |', ...lines].join('\n'),
  );
});

const sizeOf = (form: Form) => sizes.get(form) as Size;

test('an agent by name has one activity per step, and six events per step', () => {
  expect(sizeOf('byReference')).toMatchObject({ activities: 7, local: 0, events: 47 });
  expect(sizeOf('byName')).toMatchObject({ activities: 4, local: 0, events: 29 });
});

test('an agent by name has a third fewer bytes of history, also beside local resolves', () => {
  const { bytes } = sizeOf('byName');
  expect(bytes / sizeOf('byReference').bytes).toBeLessThan(2 / 3);
  expect(bytes).toBeLessThan(sizeOf('byLocalReference').bytes);
});

test('local reads leave one event each', () => {
  expect(sizeOf('byNameWithLocalReads')).toMatchObject({ activities: 2, local: 2 });
  expect(sizeOf('byNameWithLocalReads').events).toBeLessThan(sizeOf('byName').events);
});
