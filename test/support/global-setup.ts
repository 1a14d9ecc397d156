/**
 * One Postgres and one Temporal dev server for the whole run, given to the tests by `support/parts.ts`. To use others,
 * set TEST_DATABASE_URL (of a superuser) and TEST_TEMPORAL_ADDRESS; DATABASE_URL and TEMPORAL_ADDRESS are not looked at,
 * since they may name something that matters.
 */
import type { TestProject } from 'vitest/node';
import { startParts } from '../../src/dev/parts.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Of a superuser. */
    readonly postgresUrl: string;
    readonly temporalAddress: string;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const parts = await startParts({
    databaseUrl: process.env.TEST_DATABASE_URL,
    temporalAddress: process.env.TEST_TEMPORAL_ADDRESS,
    env: { ...process.env, DATABASE_URL: undefined, TEMPORAL_ADDRESS: undefined },
    log: (line) => console.error(line),
  });
  project.provide('postgresUrl', parts.databaseUrl);
  project.provide('temporalAddress', parts.temporalAddress);
  return parts.stop;
}
