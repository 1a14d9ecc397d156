/** The messages between the fault run and its processes. */
import type { Duration } from '../../src/config/duration.js';
import type { ReaderReport } from './parts/observations.js';

export interface ReaderSettings {
  /** Unique to the process. */
  readonly reader: string;
  /** Through the proxy, on a separate route per worker. */
  readonly databaseUrl: string;
  readonly listenUrl: string;
  readonly encryptionKey: string;
  readonly grantKeySet: string;
  readonly temporalAddress: string;
  /** The task queue of agents and their steps. The process that replaces this one uses the same. */
  readonly taskQueue: string;
  readonly workflowBundle: string;
  readonly workspaceIds: readonly string[];
  readonly lease: Duration;
  readonly longestStep: Duration;
  /** Breaks the rule that the fence depends on, so that the checker must find stale reads. */
  readonly leaseNeverEnds: boolean;
}

export interface OperationsSettings {
  readonly databaseUrl: string;
  readonly encryptionKey: string;
  readonly grantKeySet: string;
  readonly temporalAddress: string;
  /** Default: the package's own. */
  readonly taskQueue?: string;
}

/** The key that came with a version. The key's text contains its serial number. */
export interface SeenCredential {
  readonly key: string;
  readonly version: number;
  readonly serial: number;
}

export type ToReader =
  /** Read this workspace from Postgres, past the cache. */
  | { readonly do: 'load'; readonly workspaceId: string }
  /** Stop yourself for `ms`, right after the cache has answered. */
  | { readonly do: 'stop-before-use'; readonly ms: number }
  | { readonly do: 'end' };

export type FromReader =
  | { readonly is: 'ready' }
  /** New or changed observations. A later one of the same version replaces an earlier one. */
  | { readonly is: 'report'; readonly report: ReaderReport; readonly credentials: readonly SeenCredential[] }
  | { readonly is: 'stopped-before-use' }
  /** A long step has begun, or goes on with another version than its last request had. */
  | { readonly is: 'long-step'; readonly what: 'begun' | 'newer-version' }
  /** The Temporal worker ended by itself, and the reader starts another one. */
  | { readonly is: 'worker-failed'; readonly message: string };

/** Ends the name under which a reader reports the requests of its long steps. */
export const REQUESTS = '.requests';

/** The key of a provider in observations and changes. */
export function keyOf(workspaceId: string): string {
  return `${workspaceId}/llm/anthropic`;
}

/** The API key of a workspace with that serial number. */
export function apiKeyOf(workspaceId: string, serial: number): string {
  return `canary-of-faults/${workspaceId}/${serial}`;
}

/** What the service knows the owner of that key by. Its answers end with it. */
export function ownerOf(workspaceId: string, serial: number): string {
  return `${workspaceId}/${serial}`;
}

/** The serial number in a key, or at the end of an answer. */
export function serialOf(text: string): number {
  return Number(text.split('/').at(-1));
}
