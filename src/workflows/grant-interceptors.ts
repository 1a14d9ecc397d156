/**
 * Passes a workflow's grant on: to its activities (local ones too), its child workflows, the run that it continues as,
 * and the Nexus operations that it calls. Part of a worker's workflow bundle: the `WorkspaceProviders` plugin adds it.
 */
import { defaultPayloadConverter, type Headers, type Payload } from '@temporalio/common';
import { type WorkflowInterceptors, workflowInfo } from '@temporalio/workflow';
import { childWorkflowId, GRANT_HEADERS, type GrantKind } from '../protocol/grants.js';

const KINDS = Object.keys(GRANT_HEADERS) as GrantKind[];

export function interceptors(): WorkflowInterceptors {
  let grants: Headers = {};
  const carried = <Input extends { readonly headers: Headers }>(input: Input): Input => {
    return { ...input, headers: { ...input.headers, ...grants } };
  };
  return {
    inbound: [
      {
        execute(input, next) {
          grants = grantsIn(input.headers);
          return next(input);
        },
      },
    ],
    outbound: [
      {
        scheduleActivity: (input, next) => next(carried(input)),
        scheduleLocalActivity: (input, next) => next(carried(input)),
        continueAsNew: (input, next) => next(carried(input)),
        startChildWorkflowExecution(input, next) {
          const kind = KINDS.find((each) => GRANT_HEADERS[each] in grants);
          if (!kind) return next(input);
          // Changed in place: the child's handle reads its id from these options, which are the SDK's copy.
          input.options.workflowId = childWorkflowId(kind, workflowInfo().workflowId, input.options.workflowId);
          return next(carried(input));
        },
        startNexusOperation: (input, next) => next({ ...input, headers: { ...input.headers, ...asTexts(grants) } }),
      },
    ],
  };
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

function textIn(payload: Payload): string | undefined {
  try {
    const text: unknown = defaultPayloadConverter.fromPayload(payload);
    return typeof text === 'string' ? text : undefined;
  } catch {
    return undefined;
  }
}
