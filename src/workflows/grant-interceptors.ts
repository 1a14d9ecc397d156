/**
 * Passes a workflow's grant on: to its activities (local ones too), its child workflows, the run that it continues as,
 * and the Nexus operations that it calls. Part of a worker's workflow bundle: the `WorkspaceProviders` plugin adds it.
 */
import { defaultPayloadConverter, defineSearchAttributeKey, type Headers, type Payload } from '@temporalio/common';
import { type WorkflowInterceptors, workflowInfo } from '@temporalio/workflow';
import { withBoundedCauses } from '../protocol/causes.js';
import { grantedWorkflowId, WORKFLOW_ID_HEADER } from '../protocol/granted-workflow-id.js';
import { childWorkflowId, GRANT_HEADERS, type GrantKind } from '../protocol/grants.js';

const KINDS = Object.keys(GRANT_HEADERS) as GrantKind[];
const SCHEDULED_AT = defineSearchAttributeKey('TemporalScheduledStartTime', 'DATETIME');

export function interceptors(): WorkflowInterceptors {
  let grants: Headers = {};
  let passedId: string | undefined;
  const carried = <Input extends { readonly headers: Headers }>(input: Input): Input => {
    return { ...input, headers: { ...input.headers, ...grants } };
  };
  const grantKind = () => KINDS.find((each) => GRANT_HEADERS[each] in grants);
  const ownId = (kind: GrantKind) => {
    const { workflowId, typedSearchAttributes } = workflowInfo();
    const token = textIn(grants[GRANT_HEADERS[kind]]);
    const scheduledAt = typedSearchAttributes.get(SCHEDULED_AT);
    return grantedWorkflowId({ reportedId: workflowId, token, passedId, scheduledAt });
  };
  return {
    inbound: [
      {
        execute(input, next) {
          grants = grantsIn(input.headers);
          passedId = textIn(input.headers[WORKFLOW_ID_HEADER]);
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
          return next(kind ? withWorkflowId(carried(input), ownId(kind)) : input);
        },
        startChildWorkflowExecution(input, next) {
          const kind = grantKind();
          if (!kind) return next(input);
          // Changed in place: the child's handle reads its id from these options, which are the SDK's copy.
          input.options.workflowId = childWorkflowId(kind, ownId(kind), input.options.workflowId);
          return next(withWorkflowId(carried(input), input.options.workflowId));
        },
        startNexusOperation: (input, next) => next({ ...input, headers: { ...input.headers, ...asTexts(grants) } }),
      },
    ],
  };
}

function withWorkflowId<Input extends { readonly headers: Headers }>(input: Input, workflowId: string): Input {
  const header = { [WORKFLOW_ID_HEADER]: defaultPayloadConverter.toPayload(workflowId) };
  return { ...input, headers: { ...input.headers, ...header } };
}

function grantsIn(headers: Headers): Headers {
  const names = Object.values(GRANT_HEADERS).filter((name) => name in headers);
  return Object.fromEntries(names.map((name) => [name, headers[name]])) as Headers;
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
  try {
    const text: unknown = payload && defaultPayloadConverter.fromPayload(payload);
    return typeof text === 'string' ? text : undefined;
  } catch {
    return undefined;
  }
}
