/** The clients of two workspaces, and a worker that serves both. */
import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import { beforeAll } from 'vitest';
import { GrantSigner, WorkspaceGrants } from '../../src/client.js';
import { untilNamed } from '../integration/granted-workflows.js';
import { type AgentStage, newWorkspace, useAgentStage } from '../support/agent-stage.js';
import { uniqueName } from '../support/parts.js';

export const NAMESPACE = 'default';
export const [acme, globex] = [newWorkspace(), newWorkspace()];

export interface TwoWorkspaces {
  readonly stage: AgentStage;
  /** A client without grants. */
  readonly bare: Client;
  readonly grants: WorkspaceGrants;
  readonly signer: GrantSigner;
  /** The client of acme. */
  readonly ours: Client;
  /** The client of globex. */
  readonly theirs: Client;
  readonly newOptions: (workflowId?: string) => { readonly taskQueue: string; readonly workflowId: string };
  /** Starts a workflow that waits for a signal. */
  readonly waiting: (client: Client, workflowId?: string) => ReturnType<typeof start>;
  /** The kinds of events in a workflow's history. */
  readonly eventsOf: (workflow: { readonly workflowId: string }) => Promise<readonly string[]>;
}

const start = (client: Client, options: { readonly taskQueue: string; readonly workflowId: string }) =>
  client.workflow.start(untilNamed, options);

export function useTwoWorkspaces(): TwoWorkspaces {
  const stage = useAgentStage();
  const two = { stage } as { -readonly [Name in keyof TwoWorkspaces]: TwoWorkspaces[Name] };
  beforeAll(async () => {
    await Promise.all([stage.addLlm(acme), stage.addLlm(globex)]);
    const { taskQueue } = await stage.startWorker({
      workflowsPath: fileURLToPath(new URL('../integration/granted-workflows.ts', import.meta.url)),
    });
    const bare = new Client({ connection: stage.client.connection });
    const signer = new GrantSigner(stage.grantKeys.signingKey);
    const grants = new WorkspaceGrants(bare, signer);
    const newOptions = (workflowId = uniqueName('two')) => ({ taskQueue, workflowId });
    Object.assign(two, {
      ...{ bare, grants, signer, newOptions, ours: grants.clientFor(acme), theirs: grants.clientFor(globex) },
      waiting: (client: Client, workflowId?: string) => start(client, newOptions(workflowId)),
      async eventsOf({ workflowId }: { readonly workflowId: string }) {
        const { events } = await bare.workflow.getHandle(workflowId).fetchHistory();
        return (events ?? []).flatMap((event) => Object.keys(event).filter((name) => name.endsWith('Attributes')));
      },
    });
  });
  return two;
}
