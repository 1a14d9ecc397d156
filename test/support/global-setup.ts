/**
 * Starts one Postgres and one Temporal dev server for the whole run, which tests get from `support/parts.ts`. To use
 * other servers, set TEST_DATABASE_URL (of a superuser) and TEST_TEMPORAL_ADDRESS. DATABASE_URL and TEMPORAL_ADDRESS
 * are ignored, because they may name real servers.
 */
import type { TestProject } from 'vitest/node';
import { startParts } from '../../src/dev/parts.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** The URL of a superuser. */
    readonly postgresUrl: string;
    readonly temporalAddress: string;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const parts = await startParts({
    databaseUrl: process.env.TEST_DATABASE_URL,
    temporalAddress: process.env.TEST_TEMPORAL_ADDRESS,
    log: (line) => console.error(line),
  });
  project.provide('postgresUrl', parts.databaseUrl);
  project.provide('temporalAddress', parts.temporalAddress);
  return parts.stop;
}
