/** What the fault run and its processes say to each other. */
import type { Duration } from '../../src/config/duration.js';
import type { ReaderReport } from './parts/observations.js';

export interface ReaderSettings {
  /** Unique to the process. */
  readonly reader: string;
  /** Through the proxy, each by a route of its own. */
  readonly databaseUrl: string;
  readonly listenUrl: string;
  readonly encryptionKey: string;
  readonly grantKeySet: string;
  readonly temporalAddress: string;
  /** Of agents and their steps; the same for the next process in this one's place. */
  readonly taskQueue: string;
  readonly workflowBundle: string;
  readonly workspaceIds: readonly string[];
  readonly lease: Duration;
  readonly longestStep: Duration;
  /** Breaks the rule that the fence rests on: then stale reads must be found. */
  readonly leaseNeverEnds: boolean;
}

export interface OperationsSettings {
  readonly databaseUrl: string;
  readonly encryptionKey: string;
  readonly grantKeySet: string;
  readonly temporalAddress: string;
}

/** Which key came with which version: its text names its serial number. */
export interface SeenCredential {
  readonly key: string;
  readonly version: number;
  readonly serial: number;
}

export type ToReader =
  /** Read this workspace from Postgres, whatever the cache holds. */
  | { readonly do: 'load'; readonly workspaceId: string }
  /** Stop yourself for so long, right after the cache has answered. */
  | { readonly do: 'stop-before-use'; readonly ms: number }
  | { readonly do: 'end' };

export type FromReader =
  | { readonly is: 'ready' }
  /** Observations that are new or have changed; a later one of the same version replaces an earlier one. */
  | { readonly is: 'report'; readonly report: ReaderReport; readonly credentials: readonly SeenCredential[] }
  | { readonly is: 'stopped-before-use' }
  /** Its Temporal worker ended by itself; it starts another one. */
  | { readonly is: 'worker-failed'; readonly message: string };

/** How a provider is called in observations and changes. */
export function keyOf(workspaceId: string): string {
  return `${workspaceId}/llm/anthropic`;
}

/** The key that the workspace was given as its `serial`th. */
export function apiKeyOf(workspaceId: string, serial: number): string {
  return `canary/${workspaceId}/${serial}`;
}

export function serialOf(apiKey: string): number {
  return Number(apiKey.split('/').at(-1));
}
