/** What workers tell the audit: which credentials did not open. */
import type { ProviderIdentity } from './identity.js';

export interface UnreadableCredential {
  readonly provider: ProviderIdentity;
  readonly version: number;
  /** The process that found it, as people know it. */
  readonly worker: string;
  /** Absent: it was no workflow's step. */
  readonly workflowId?: string;
}
