/** The Postgres and the Temporal that all test files share (`global-setup.ts`), and names that keep them apart there. */
import { randomUUID } from 'node:crypto';
import { inject } from 'vitest';

/** Of a superuser. For a database of one's own: `database.ts`. */
export const postgresUrl = (): string => inject('postgresUrl');

export const temporalAddress = (): string => inject('temporalAddress');

/** A name that no other test uses: a task queue, a workflow id, a workspace. */
export const uniqueName = (what: string): string => `${what}-${randomUUID().slice(0, 8)}`;
