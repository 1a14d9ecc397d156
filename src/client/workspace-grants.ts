/**
 * Temporal clients whose workflows carry a grant: it is signed when a workflow starts, and bound to the workflow's id.
 */
import {
  type Client,
  type CompiledScheduleUpdateOptions,
  type Headers,
  type ScheduleClientInterceptor,
  type ScheduleClientOptions,
  WorkflowClient,
  type WorkflowClientInterceptor,
  type WorkflowClientOptions,
  type WorkflowExecution,
} from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { GrantSigner } from '../grants/grant-signer.js';
import { isProviderError, ProviderError } from '../protocol/errors.js';
import { GRANT_HEADERS, type GrantKind, SENDER_HEADER } from '../protocol/grants.js';
import { checkWorkspaceId } from '../protocol/names.js';
import { ROTATION_ID_PREFIX } from '../protocol/rotation.js';
import { ROTATE_DUE_PROVIDERS } from '../protocol/schedules.js';
import { checkClientInternals, InterceptedScheduleClient, onConnection, withSubclients } from '../sdk/internals.js';
import { WorkspaceBoundary } from './workspace-boundary.js';

/** The workspace or operator that a client's workflows work for. */
interface Granted {
  readonly kind: GrantKind;
  readonly subject: string;
}

/**
 * Makes Temporal clients that sign a grant for each workflow that they start. Use it in the service that authenticates
 * a request, and take the workspace from that authentication, never from what the caller names.
 *
 * @example
 * const grants = new WorkspaceGrants(client, new GrantSigner(signingKey));
 * await grants.clientFor('ws_acme').workflow.start(answer, { workflowId, taskQueue: 'agents', args: [question] });
 */
export class WorkspaceGrants {
  constructor(
    private readonly client: Client,
    private readonly signer: GrantSigner,
  ) {
    checkClientInternals();
  }

  /**
   * Returns a client whose workflows, also those that its schedules start, may use the providers of one workspace. It
   * shares the connection. Its calls on a workflow or a schedule that carries no grant of the workspace fail with
   * ProviderError `GrantInvalid`, and those on ids under `rotate/` and `workspace-providers/` with
   * `ProviderConfigInvalid`. Lists and counts are those of the whole namespace.
   *
   * @throws ProviderError `ProviderConfigInvalid` if the id does not fit; `SetupInvalid` if the client's workflow
   *   interceptors are not a list
   */
  clientFor(workspaceId: string): Client {
    return this.#clientOf({ kind: 'workspace', subject: checkWorkspaceId(workspaceId) });
  }

  /**
   * Returns a client that may start rotations and the schedules of this package. The signing key must be a key for
   * operators.
   *
   * @param operator - the operator's name, for the record
   */
  operatorClient(operator: string): Client {
    return this.#clientOf({ kind: 'operator', subject: operator });
  }

  #clientOf(granted: Granted): Client {
    const { client } = this;
    const { workflow, schedule } = client;
    const { namespace } = client.options;
    const isOperator = granted.kind === 'operator';
    const connection = isOperator
      ? client.connection
      : new WorkspaceBoundary(client.connection, namespace, granted.subject).guarded();
    const sign: Sign = async (headers, workflowIds) => {
      const token = await this.signer.sign(granted.kind, { subject: granted.subject, namespace, workflowIds });
      return { ...headers, [GRANT_HEADERS[granted.kind]]: defaultPayloadConverter.toPayload(token) };
    };
    const sender: Headers = isOperator ? {} : { [SENDER_HEADER]: defaultPayloadConverter.toPayload(granted.subject) };
    const subclients = {
      ...onConnection(client, connection),
      workflow: new GrantingWorkflowClient({
        ...workflow.options,
        connection,
        // Last, because other interceptors may change the workflow's id.
        interceptors: [...listOf(workflow.options.interceptors), grantingInterceptor(sign, sender)],
      }),
      schedule: new GrantingScheduleClient(
        { ...schedule.options, connection },
        (headers, { workflowId, workflowType }) =>
          // It rotates the providers that are due in child workflows, whose ids begin with this prefix.
          sign(
            headers,
            isOperator && workflowType === ROTATE_DUE_PROVIDERS ? [workflowId, ROTATION_ID_PREFIX] : [workflowId],
          ),
      ),
    };
    return withSubclients(client, subclients);
  }
}

interface Start {
  readonly headers: Headers;
  readonly options: { readonly workflowId: string };
}

/** Returns the headers with a grant for these workflows. */
type Sign = (headers: Headers, workflowIds: readonly string[]) => Promise<Headers>;

/** The SDK's deprecated form is an object with lists of factories. */
function listOf(interceptors: WorkflowClientOptions['interceptors'] = []): readonly WorkflowClientInterceptor[] {
  if (Array.isArray(interceptors)) return interceptors;
  throw new ProviderError(
    'SetupInvalid',
    "the client's interceptors.workflow must be a list: the SDK's deprecated form with `calls` is not supported",
    { fields: ['interceptors.workflow'] },
  );
}

function grantingInterceptor(sign: Sign, sender: Headers): WorkflowClientInterceptor {
  const signed = async <Input extends Start>(input: Input): Promise<Input> => {
    return { ...input, headers: await sign(input.headers, [input.options.workflowId]) };
  };
  const sent = <Input extends { readonly headers: Headers }>(input: Input): Input => {
    return { ...input, headers: { ...input.headers, ...sender } };
  };
  return {
    startWithDetails: async (input, next) => next(await signed(input)),
    signalWithStart: async (input, next) => next(await signed(input)),
    startUpdateWithStart: async (input, next) => {
      const { workflowStartHeaders, workflowStartOptions, updateHeaders } = input;
      return next({
        ...input,
        updateHeaders: { ...updateHeaders, ...sender },
        workflowStartHeaders: await sign(workflowStartHeaders, [workflowStartOptions.workflowId]),
      });
    },
    signal: (input, next) => next(sent(input)),
    startUpdate: (input, next) => next(sent(input)),
    query: (input, next) => next(sent(input)),
  };
}

/** Throws the errors of the boundary as they are: the SDK would put them into one of its own. */
class GrantingWorkflowClient extends WorkflowClient {
  protected override rethrowGrpcError(error: unknown, message: string, execution?: WorkflowExecution): never {
    if (isProviderError(error)) throw error;
    super.rethrowGrpcError(error, message, execution);
  }
}

/** Signs a grant for each schedule that is created or updated. */
class GrantingScheduleClient extends InterceptedScheduleClient {
  constructor(
    options: ScheduleClientOptions,
    private readonly grant: (headers: Headers, action: Action) => Promise<Headers>,
  ) {
    const create: ScheduleClientInterceptor['create'] = async (input, next) =>
      next({ ...input, headers: await grant(input.headers, input.options.action) });
    super({ ...options, interceptors: [...(options.interceptors ?? []), { create }] });
  }

  protected override rethrowGrpcError(error: unknown, message: string, scheduleId?: string): never {
    if (isProviderError(error)) throw error;
    super.rethrowGrpcError(error, message, scheduleId);
  }

  protected override headersOfUpdate(headers: Headers, action: Action): Promise<Headers> {
    return this.grant(headers, action);
  }
}

/** A schedule's action, as interceptors see it. */
type Action = Pick<CompiledScheduleUpdateOptions['action'], 'workflowId' | 'workflowType'>;
