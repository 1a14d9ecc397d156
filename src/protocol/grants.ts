/**
 * A grant says for whom a workflow works. It travels in a Temporal header, which every history shows: it names
 * authority and is no secret. What makes it worthless elsewhere is that it is bound to its workflow's id.
 */
import { ROTATION_ID_PREFIX } from './rotation.js';

/** `workspace`: its steps may use one workspace's providers. `operator`: it may change providers. */
export type GrantKind = 'workspace' | 'operator';

/** The headers' names; Nexus wants them in lower case. */
export const GRANT_HEADERS = {
  workspace: 'workspace-grant',
  operator: 'operator-grant',
} as const satisfies Record<GrantKind, string>;

export interface Grant {
  /** To revoke it by. */
  readonly grantId: string;
  /** A workspace's id, or an operator's name. */
  readonly subject: string;
  /** Of Temporal. */
  readonly namespace: string;
  /** Each with all that stands under it: `<id>/…`, and the runs of a schedule, `<id>-<time>`. */
  readonly workflowIds: readonly string[];
  /** In seconds since 1970, to the millisecond. */
  readonly issuedAt: number;
}

/** How Temporal calls the run of a schedule: after its workflow id comes the time that it was due. */
const SCHEDULED_RUN = /^-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ(\/|$)/;

export function coversWorkflow({ workflowIds }: Pick<Grant, 'workflowIds'>, workflowId: string): boolean {
  return workflowIds.some((covered) => {
    if (!workflowId.startsWith(covered)) return false;
    const rest = workflowId.slice(covered.length);
    return rest === '' || rest.startsWith('/') || SCHEDULED_RUN.test(rest);
  });
}

/**
 * A child's id, under its parent's, so that the parent's grant covers it. A rotation keeps the id that is its provider's:
 * operators' grants name it where they are to cover it.
 */
export function childWorkflowId(kind: GrantKind, parentId: string, childId: string): string {
  const isNamed = kind === 'operator' && childId.startsWith(`${ROTATION_ID_PREFIX}/`);
  return isNamed || childId.startsWith(`${parentId}/`) ? childId : `${parentId}/${childId}`;
}
