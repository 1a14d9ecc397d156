/**
 * What a client of one workspace may ask Temporal for: workflows and schedules that carry a grant of its workspace. Each
 * call to the service passes here, whatever part of the client makes it, and a call that is not listed is refused. It
 * holds for a program that uses the client. It does not hold for one that uses Temporal without it.
 */
import type { ConnectionLike, WorkflowService } from '@temporalio/client';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { LRUCache } from 'lru-cache';
import { ProviderError } from '../protocol/errors.js';
import { subjectIn } from '../protocol/granted-workflow-id.js';
import { GRANT_HEADERS } from '../protocol/grants.js';
import { ROTATION_ID_PREFIX } from '../protocol/rotation.js';
import { SCHEDULE_ID_PREFIX } from '../protocol/schedules.js';

interface Execution {
  readonly workflowId?: string | null;
  readonly runId?: string | null;
}

/** A request to the service: of every method, the parts that are read here. */
interface Request extends Execution {
  readonly execution?: Execution | null;
  readonly workflowExecution?: Execution | null;
  readonly updateRef?: { readonly workflowExecution?: Execution | null } | null;
  readonly firstExecutionRunId?: string | null;
  readonly nextPageToken?: Uint8Array | null;
  readonly workflowIdConflictPolicy?: number | null;
  readonly workflowIdReusePolicy?: number | null;
  readonly operations?: readonly { readonly startWorkflow?: Request | null }[] | null;
  readonly scheduleId?: string | null;
  readonly schedule?: { readonly action?: { readonly startWorkflow?: Execution | null } | null } | null;
}

type Call = (request: Request) => Promise<unknown>;
type Rule = (boundary: WorkspaceBoundary, request: Request, call: Call) => Promise<unknown>;

interface Run {
  readonly runId: string;
  readonly firstRunId: string;
  readonly workspaceId: string | undefined;
}

/** Temporal's numbers: the SDK's own enumerations are texts. */
const RUNNING = 1;
const USE_EXISTING = 2;
const TERMINATE_EXISTING = 3;
const TERMINATE_IF_RUNNING = 4;
const NOT_FOUND = 5;

const REMEMBERED_RUNS = 10_000;
const RESERVED = [ROTATION_ID_PREFIX, SCHEDULE_ID_PREFIX];

const passes: Rule = (_, request, call) => call(request);

/** A method that works on the latest run of an id, or on the named run. */
const onExecution =
  (executionOf: (request: Request) => Execution | null | undefined): Rule =>
  async (boundary, request, call) => {
    await boundary.check(executionOf(request));
    return call(request);
  };

/** Bound to the run that was checked: the id may be another workspace's a moment later. */
const ending: Rule = async (boundary, request, call) => {
  const { firstRunId } = await boundary.check(request.workflowExecution);
  return call({ ...request, firstExecutionRunId: request.firstExecutionRunId || firstRunId });
};

/** As above. The token of a further page is of the run that was checked for the first one. */
const reading: Rule = async (boundary, request, call) => {
  if (request.nextPageToken?.length) return call(request);
  const { runId } = await boundary.check(request.execution);
  return call({ ...request, execution: { workflowId: request.execution?.workflowId, runId } });
};

const describing: Rule = async (boundary, request, call) => {
  const described = await call(request);
  const { workflowExecutionInfo: info } = described as { workflowExecutionInfo?: { execution?: Execution } };
  await boundary.check(info?.execution);
  return described;
};

const starting: Rule = async (boundary, request, call) => {
  checkId('workflowId', request.workflowId);
  const { workflowIdConflictPolicy: conflict, workflowIdReusePolicy: reuse } = request;
  if (conflict === TERMINATE_EXISTING || reuse === TERMINATE_IF_RUNNING) await boundary.checkRunning(request);
  const started = await call(request);
  if (conflict === USE_EXISTING) await boundary.check({ workflowId: request.workflowId, ...runIn(started) });
  return started;
};

/** A signal goes to a workflow that runs already, unless the policy is another one. */
const signaling: Rule = async (boundary, request, call) => {
  checkId('workflowId', request.workflowId);
  await boundary.checkRunning(request);
  const signaled = await call(request);
  await boundary.check({ workflowId: request.workflowId, ...runIn(signaled) });
  return signaled;
};

/** Update-with-start. */
const multiple: Rule = async (boundary, request, call) => {
  for (const { startWorkflow } of request.operations ?? []) {
    if (!startWorkflow) continue;
    checkId('workflowId', startWorkflow.workflowId);
    await boundary.checkRunning(startWorkflow);
  }
  return call(request);
};

const scheduling: Rule = async (_, request, call) => {
  checkId('scheduleId', request.scheduleId);
  checkId('workflowId', request.schedule?.action?.startWorkflow?.workflowId);
  return call(request);
};

const onSchedule: Rule = async (boundary, request, call) => {
  checkId('workflowId', request.schedule?.action?.startWorkflow?.workflowId);
  await boundary.checkSchedule(request);
  return call(request);
};

const RULES: Readonly<Record<string, Rule>> = {
  startWorkflowExecution: starting,
  signalWithStartWorkflowExecution: signaling,
  executeMultiOperation: multiple,
  describeWorkflowExecution: describing,
  getWorkflowExecutionHistory: reading,
  getWorkflowExecutionHistoryReverse: reading,
  signalWorkflowExecution: onExecution(({ workflowExecution }) => workflowExecution),
  queryWorkflow: onExecution(({ execution }) => execution),
  updateWorkflowExecution: onExecution(({ workflowExecution }) => workflowExecution),
  pollWorkflowExecutionUpdate: onExecution(({ updateRef }) => updateRef?.workflowExecution),
  resetWorkflowExecution: onExecution(({ workflowExecution }) => workflowExecution),
  terminateWorkflowExecution: ending,
  requestCancelWorkflowExecution: ending,
  respondActivityTaskCompletedById: onExecution((request) => request),
  respondActivityTaskFailedById: onExecution((request) => request),
  respondActivityTaskCanceledById: onExecution((request) => request),
  recordActivityTaskHeartbeatById: onExecution((request) => request),
  createSchedule: scheduling,
  describeSchedule: onSchedule,
  updateSchedule: onSchedule,
  patchSchedule: onSchedule,
  deleteSchedule: onSchedule,
  listScheduleMatchingTimes: onSchedule,
  // Whoever has a task's token was given it.
  respondActivityTaskCompleted: passes,
  respondActivityTaskFailed: passes,
  respondActivityTaskCanceled: passes,
  recordActivityTaskHeartbeat: passes,
  // Names, times and memos of the namespace: docs/grants.md says so.
  listWorkflowExecutions: passes,
  countWorkflowExecutions: passes,
  listSchedules: passes,
  getSystemInfo: passes,
  describeNamespace: passes,
};

export class WorkspaceBoundary {
  readonly #runs = new LRUCache<string, Run>({ max: REMEMBERED_RUNS });

  constructor(
    private readonly connection: ConnectionLike,
    private readonly namespace: string,
    private readonly workspaceId: string,
  ) {}

  /** The same connection, whose calls are checked. */
  guarded(): ConnectionLike {
    const guard = (service: WorkflowService) =>
      new Proxy(service, {
        get: (target, name) => {
          const method: unknown = Reflect.get(target, name);
          if (typeof method !== 'function' || typeof name !== 'string') return method;
          const rule = Object.hasOwn(RULES, name) ? RULES[name] : undefined;
          const call: Call = (request) => Reflect.apply(method, target, [request]) as Promise<unknown>;
          return async (request: Request) => (rule ? rule(this, request, call) : Promise.reject(unlisted()));
        },
      });
    const { connection } = this;
    let service: WorkflowService | undefined;
    return Object.create(connection, {
      workflowService: {
        get() {
          service ??= guard(connection.workflowService);
          return service;
        },
      },
    }) as ConnectionLike;
  }

  /**
   * Returns the run, the latest one unless it is named, if it carries a grant of this workspace.
   *
   * @throws ProviderError `GrantInvalid`; the service's own error if there is no such run
   */
  async check(execution: Execution | null | undefined): Promise<Run> {
    const workflowId = execution?.workflowId;
    checkId('workflowId', workflowId);
    const run = await this.#run({ workflowId, runId: execution?.runId || (await this.#latest(workflowId)).runId });
    this.#refuseForeign('workflow', run.workspaceId);
    return run;
  }

  /** Checks the workflow that runs under the id, if one does. */
  async checkRunning({ workflowId }: Execution): Promise<void> {
    const latest = await this.#latest(workflowId).catch((error: unknown) => {
      if ((error as { code?: unknown } | null)?.code === NOT_FOUND) return undefined;
      throw error;
    });
    if (latest?.isRunning) await this.check({ workflowId, runId: latest.runId });
  }

  async checkSchedule({ scheduleId }: Request): Promise<void> {
    checkId('scheduleId', scheduleId);
    const { schedule } = await this.connection.workflowService.describeSchedule({
      namespace: this.namespace,
      scheduleId,
    });
    this.#refuseForeign('schedule', workspaceIn(schedule?.action?.startWorkflow?.header?.fields));
  }

  async #latest(workflowId: string | null | undefined): Promise<{ runId: string; isRunning: boolean }> {
    const { workflowExecutionInfo: info } = await this.connection.workflowService.describeWorkflowExecution({
      namespace: this.namespace,
      execution: { workflowId },
    });
    return { runId: info?.execution?.runId ?? '', isRunning: info?.status === RUNNING };
  }

  /** The first event of a run never changes. */
  async #run({ workflowId, runId }: { workflowId?: string | null; runId: string }): Promise<Run> {
    const key = `${runId} ${workflowId}`;
    const known = this.#runs.get(key);
    if (known) return known;
    const { history } = await this.connection.workflowService.getWorkflowExecutionHistory({
      namespace: this.namespace,
      execution: { workflowId, runId },
      maximumPageSize: 1,
    });
    const { header, firstExecutionRunId } = history?.events?.[0]?.workflowExecutionStartedEventAttributes ?? {};
    const workspaceId = workspaceIn(header?.fields);
    const run = { runId, firstRunId: firstExecutionRunId || runId, workspaceId };
    this.#runs.set(key, run);
    return run;
  }

  #refuseForeign(what: 'workflow' | 'schedule', workspaceId: string | undefined): void {
    if (workspaceId === this.workspaceId) return;
    throw new ProviderError(
      'GrantInvalid',
      `the ${what} carries no grant of the workspace of this client: use a client of its workspace, or, if it was ` +
        'started without a grant, the client that you gave to WorkspaceGrants',
    );
  }
}

/** An operator's grant covers ids like these: a workflow that has one could be taken for a rotation. */
function checkId(field: string, id: string | null | undefined): void {
  if (!RESERVED.some((prefix) => id === prefix || id?.startsWith(`${prefix}/`))) return;
  const prefixes = RESERVED.map((prefix) => `${prefix}/`).join(' or ');
  throw ProviderError.configInvalid(field, `must not begin with ${prefixes}: rotations and schedules have these ids`);
}

/** Not verified: Temporal says whom a workflow was started for, and workers verify the grant. */
function workspaceIn(headers: Readonly<Record<string, object>> | null | undefined): string | undefined {
  const payload = headers?.[GRANT_HEADERS.workspace];
  if (!payload) return undefined;
  try {
    return subjectIn(String(defaultPayloadConverter.fromPayload(payload as Payload)));
  } catch {
    return undefined;
  }
}

function runIn(started: unknown): Pick<Execution, 'runId'> {
  return { runId: (started as Execution).runId };
}

function unlisted(): ProviderError {
  return new ProviderError(
    'GrantInvalid',
    'a client of one workspace may not make this call: use the client that you gave to WorkspaceGrants',
  );
}
