/** Reads docker-compose.yml and the Dockerfile, and starts a Postgres on which docker/databases.sql has run. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { parse } from 'yaml';
import { type PostgresPart, startPostgres } from '../../src/dev/postgres.js';
import { REPOSITORY } from './scratch-project.js';

export const readText = (path: string) => readFile(join(REPOSITORY, path), 'utf8');

export interface Service {
  readonly build?: string;
  readonly ulimits?: { readonly core?: number };
  readonly restart?: string;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly ports?: readonly string[];
  readonly deploy?: { readonly replicas: number };
}

export async function readServices(): Promise<Readonly<Record<string, Service>>> {
  return (parse(await readText('docker-compose.yml'), { merge: true }) as { services: Record<string, Service> })
    .services;
}

/** The commands of the image: its main program and its health check. */
export async function readImage(): Promise<{
  readonly command: readonly string[];
  readonly healthCheck: readonly string[];
}> {
  const dockerfile = await readText('Dockerfile');
  const listAfter = (instruction: RegExp) => JSON.parse(instruction.exec(dockerfile)?.[1] ?? '[]') as string[];
  return {
    command: listAfter(/^CMD (\[.*\])$/m),
    healthCheck: listAfter(/^HEALTHCHECK .*CMD (\[.*\])$/m),
  };
}

/** A login's password on that Postgres. */
export const passwordOf = (login: string) => `canary-${login}`;

/** Starts a separate server, because logins belong to a whole server. */
export async function startComposePostgres(): Promise<PostgresPart> {
  const postgres = await startPostgres();
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  try {
    // Like psql: fill variables from the environment, and run one statement at a time.
    const script = (await readText('docker/databases.sql')).replace(/^(--|\\).*$/gm, '');
    const filled = script.replace(/:'(\w+)_password'/g, (_, login: string) => `'${passwordOf(login)}'`);
    for (const statement of filled.split(';').filter((text) => text.trim())) await client.query(statement);
  } finally {
    await client.end();
  }
  return postgres;
}
