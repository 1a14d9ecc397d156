/** The Postgres and the Temporal that all test files share (`global-setup.ts`), and unique names for use there. */
import { randomUUID } from 'node:crypto';
import { inject } from 'vitest';

/** The URL of a superuser. For a separate database, use `database.ts`. */
export const postgresUrl = (): string => inject('postgresUrl');

export const temporalAddress = (): string => inject('temporalAddress');

/** A name that no other test uses: a task queue, a workflow id, a workspace. */
export const uniqueName = (what: string): string => `${what}-${randomUUID().slice(0, 8)}`;
