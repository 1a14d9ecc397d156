/** What workers tell the audit: which credentials they handed out, and which did not open. */
import type { ProviderIdentity } from './identity.js';

/** How often one workflow's steps were handed one version in one minute. */
export interface CountedUse {
  readonly provider: ProviderIdentity;
  /** 0: the platform's credential. */
  readonly version: number;
  /** Empty, as the id is: it was no workflow's step. */
  readonly workflowType: string;
  readonly workflowId: string;
  /** When it began, in milliseconds since 1970. */
  readonly minuteMs: number;
  readonly count: number;
}

export interface UnreadableCredential {
  readonly provider: ProviderIdentity;
  readonly version: number;
  /** The process that found it, as people know it. */
  readonly worker: string;
  /** Absent: it was no workflow's step. */
  readonly workflowId?: string;
}
