/**
 * Passes a workflow's grant and its trace on: to its activities (local ones too), its child workflows, the run that it
 * continues as, and the Nexus operations that it calls. Child workflows and the next run also get the versions of
 * providers that it has seen. Refuses signals, updates and queries that another workspace sends. Part of a worker's
 * workflow bundle: the `WorkspaceProviders` plugin adds it.
 */
import {
  ApplicationFailure,
  defaultPayloadConverter,
  defineSearchAttributeKey,
  type Headers,
  type Payload,
} from '@temporalio/common';
import { log, type WorkflowInterceptors, workflowInfo } from '@temporalio/workflow';
import { withBoundedCauses } from '../protocol/causes.js';
import { grantedWorkflowId, subjectIn, WORKFLOW_ID_HEADER } from '../protocol/granted-workflow-id.js';
import { childWorkflowId, GRANT_HEADERS, type GrantKind, SENDER_HEADER } from '../protocol/grants.js';
import { SEEN_VERSIONS_HEADER } from '../protocol/references.js';
import { TRACE_HEADER } from '../protocol/trace-header.js';
import { seenVersions, takeSeenVersions } from './agent/version-floors.js';

const KINDS = Object.keys(GRANT_HEADERS) as GrantKind[];
const SCHEDULED_AT = defineSearchAttributeKey('TemporalScheduledStartTime', 'DATETIME');

export function interceptors(): WorkflowInterceptors {
  let grants: Headers = {};
  let traced: Headers = {};
  let passedId: string | undefined;
  const carried = <Input extends { readonly headers: Headers }>(input: Input): Input => {
    return { ...input, headers: { ...traced, ...input.headers, ...grants } };
  };
  const grantKind = () => KINDS.find((each) => GRANT_HEADERS[each] in grants);
  const ownId = (kind: GrantKind) => {
    const { workflowId, typedSearchAttributes } = workflowInfo();
    const token = textIn(grants[GRANT_HEADERS[kind]]);
    const scheduledAt = typedSearchAttributes.get(SCHEDULED_AT);
    return grantedWorkflowId({ reportedId: workflowId, token, passedId, scheduledAt });
  };
  /** A workflow without any grant has no workspace, and hears everybody. */
  const isFromOther = (headers: Headers) => {
    const sender = textIn(headers[SENDER_HEADER]) ?? subjectIn(textIn(headers[GRANT_HEADERS.workspace]));
    return sender !== undefined && grantKind() !== undefined && sender !== ownWorkspace();
  };
  const ownWorkspace = () => subjectIn(textIn(grants[GRANT_HEADERS.workspace]));
  return {
    inbound: [
      {
        // Without `async`, so that what is let through is handled when it would be without this interceptor.
        handleSignal(input, next) {
          if (!isFromOther(input.headers)) return next(input);
          // An error would fail the workflow, which is what the sender may want.
          log.warn('a signal was dropped, because another workspace sent it', { signalName: input.signalName });
          return Promise.resolve();
        },
        // Runs only for updates that have a validator; what it refuses leaves no event.
        validateUpdate(input, next) {
          if (isFromOther(input.headers)) throw refused('update');
          next(input);
        },
        handleUpdate(input, next) {
          return isFromOther(input.headers) ? Promise.reject(refused('update')) : next(input);
        },
        handleQuery(input, next) {
          return isFromOther(input.headers) ? Promise.reject(refused('query')) : next(input);
        },
        execute(input, next) {
          grants = grantsIn(input.headers);
          traced = picked(input.headers, [TRACE_HEADER]);
          passedId = textIn(input.headers[WORKFLOW_ID_HEADER]);
          takeSeenVersions(valueIn(input.headers[SEEN_VERSIONS_HEADER]));
          return next(input).catch((error: unknown) => {
            throw withBoundedCauses(error);
          });
        },
      },
    ],
    outbound: [
      {
        scheduleActivity: (input, next) => next(carried(input)),
        scheduleLocalActivity: (input, next) => next(carried(input)),
        continueAsNew(input, next) {
          const kind = grantKind();
          const seen = withSeenVersions(input);
          return next(kind ? withWorkflowId(carried(seen), ownId(kind)) : seen);
        },
        startChildWorkflowExecution(input, next) {
          const kind = grantKind();
          const seen = withSeenVersions(input);
          if (!kind) return next(seen);
          // Changed in place: the child's handle reads its id from these options, which are the SDK's copy.
          input.options.workflowId = childWorkflowId(kind, ownId(kind), input.options.workflowId);
          return next(withWorkflowId(carried(seen), input.options.workflowId));
        },
        signalWorkflow(input, next) {
          const sender = ownWorkspace();
          return next(sender === undefined ? input : { ...input, headers: { ...input.headers, ...sentBy(sender) } });
        },
        startNexusOperation: (input, next) => next({ ...input, headers: { ...input.headers, ...asTexts(grants) } }),
      },
    ],
  };
}

function refused(what: 'update' | 'query'): ApplicationFailure {
  const message = `the ${what} was refused, because another workspace sent it`;
  return ApplicationFailure.nonRetryable(message, 'GrantInvalid');
}

function sentBy(workspaceId: string): Headers {
  return { [SENDER_HEADER]: defaultPayloadConverter.toPayload(workspaceId) };
}

function withWorkflowId<Input extends { readonly headers: Headers }>(input: Input, workflowId: string): Input {
  const header = { [WORKFLOW_ID_HEADER]: defaultPayloadConverter.toPayload(workflowId) };
  return { ...input, headers: { ...input.headers, ...header } };
}

function withSeenVersions<Input extends { readonly headers: Headers }>(input: Input): Input {
  const versions = seenVersions();
  if (versions.length === 0) return input;
  const header = { [SEEN_VERSIONS_HEADER]: defaultPayloadConverter.toPayload(versions) };
  return { ...input, headers: { ...input.headers, ...header } };
}

function grantsIn(headers: Headers): Headers {
  return picked(headers, Object.values(GRANT_HEADERS));
}

function picked(headers: Headers, names: readonly string[]): Headers {
  return Object.fromEntries(names.flatMap((name) => (name in headers ? [[name, headers[name]]] : []))) as Headers;
}

/** A payload that is not text is not a grant. */
function asTexts(grants: Headers): Record<string, string> {
  const texts = Object.entries(grants).flatMap(([name, payload]) => {
    const token = textIn(payload);
    return token === undefined ? [] : [[name, token]];
  });
  return Object.fromEntries(texts);
}

function textIn(payload: Payload | undefined): string | undefined {
  const text = valueIn(payload);
  return typeof text === 'string' ? text : undefined;
}

function valueIn(payload: Payload | undefined): unknown {
  try {
    return payload && defaultPayloadConverter.fromPayload(payload);
  } catch {
    return undefined;
  }
}
