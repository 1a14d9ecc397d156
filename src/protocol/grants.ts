/**
 * Grants. A grant names the workspace, or the operator, that a workflow works for. It is in a Temporal header, which
 * every history shows, so it is not a secret. It is bound to its workflow's id: a copy is of no use to another
 * workflow.
 */
import { ROTATION_ID_PREFIX } from './rotation.js';

/** `workspace`: the workflow may use the providers of one workspace. `operator`: the workflow may change providers. */
export type GrantKind = 'workspace' | 'operator';

/** The names of the headers. Nexus requires lower case. */
export const GRANT_HEADERS = {
  workspace: 'workspace-grant',
  operator: 'operator-grant',
} as const satisfies Record<GrantKind, string>;

/**
 * The header in which a signal, an update or a query names the workspace that sends it. It is not signed: it keeps a
 * message from the wrong workflow, and does not stop a sender who chooses headers.
 */
export const SENDER_HEADER = 'workspace-grant-sender';

export interface Grant {
  /** The id by which the grant can be revoked. */
  readonly grantId: string;
  /** A workspace's id, or an operator's name. */
  readonly subject: string;
  /** The Temporal namespace. */
  readonly namespace: string;
  /** The covered workflow ids. Each includes the ids under it, `<id>/…`, and the runs of a schedule, `<id>-<time>`. */
  readonly workflowIds: readonly string[];
  /** In seconds since 1970, to the millisecond. */
  readonly issuedAt: number;
}

/** The end of a scheduled run's id: Temporal adds the time at which the run was due to the schedule's workflow id. */
const SCHEDULED_RUN = /^-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ(\/|$)/;

export function coversWorkflow({ workflowIds }: Pick<Grant, 'workflowIds'>, workflowId: string): boolean {
  return workflowIds.some((covered) => {
    if (!workflowId.startsWith(covered)) return false;
    const rest = workflowId.slice(covered.length);
    return rest === '' || rest.startsWith('/') || SCHEDULED_RUN.test(rest);
  });
}

/**
 * Puts a child's workflow id under its parent's, so that the parent's grant covers the child. A rotation keeps its own
 * id, which names its provider. An operator's grant covers a rotation only if it lists that id.
 */
export function childWorkflowId(kind: GrantKind, parentId: string, childId: string): string {
  const isNamed = kind === 'operator' && childId.startsWith(`${ROTATION_ID_PREFIX}/`);
  return isNamed || childId.startsWith(`${parentId}/`) ? childId : `${parentId}/${childId}`;
}
