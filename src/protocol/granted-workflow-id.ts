/**
 * What a workflow is told by its history: its id, and whom it works for. A replay from a history alone runs under a made-up workflow id, so the
 * ids of child workflows must not depend on the id that the SDK reports: otherwise a replay would not find its children.
 */
import { coversWorkflow } from './grants.js';

/**
 * The header in which a child workflow, and a run that continues another, find their id. Only the workflow
 * interceptors contain this text, so the plugin recognizes by it whether a workflow bundle contains them.
 */
export const WORKFLOW_ID_HEADER = 'workspace-grant-workflow-id';

/** What a workflow knows about itself. */
export interface WorkflowFacts {
  /** The workflow id that the SDK reports. */
  readonly reportedId: string;
  /** The workflow's grant: a JWT. */
  readonly token: string | undefined;
  /** The content of {@link WORKFLOW_ID_HEADER}. */
  readonly passedId: string | undefined;
  /** When the run was due, if a schedule started it. */
  readonly scheduledAt: Date | undefined;
}

/**
 * Returns the reported id if the grant covers it, which is so in every run that the grant serves. Otherwise returns the
 * id that the history gives. It grants nothing: activities check the real id.
 */
export function grantedWorkflowId({ reportedId, token, passedId, scheduledAt }: WorkflowFacts): string {
  const workflowIds = workflowIdsIn(token);
  const [first] = workflowIds;
  if (first === undefined || coversWorkflow({ workflowIds }, reportedId)) return reportedId;
  // Temporal adds the time to the id in this format.
  return passedId ?? (scheduledAt ? `${first}-${scheduledAt.toISOString().slice(0, 19)}Z` : first);
}

/** The subject of a grant. Does not verify the token. */
export function subjectIn(token: string | undefined): string | undefined {
  const { sub } = claimsIn(token);
  return typeof sub === 'string' ? sub : undefined;
}

function workflowIdsIn(token: string | undefined): readonly string[] {
  const { workflow_ids: ids } = claimsIn(token);
  return Array.isArray(ids) ? ids.filter((id) => typeof id === 'string') : [];
}

/** Does not verify the token: activities do that. */
function claimsIn(token = ''): { readonly sub?: unknown; readonly workflow_ids?: unknown } {
  try {
    const claims: unknown = JSON.parse(new TextDecoder().decode(fromBase64Url(token.split('.')[1] ?? '')));
    return claims ?? {};
  } catch {
    return {};
  }
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** The workflow sandbox has neither `Buffer` nor `atob`. */
function fromBase64Url(text: string): Uint8Array {
  const bytes: number[] = [];
  let bits = 0;
  let value = 0;
  for (const character of text) {
    value = ((value << 6) | ALPHABET.indexOf(character)) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((value >> bits) & 0xff);
    }
  }
  return Uint8Array.from(bytes);
}
