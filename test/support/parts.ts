/** The parts that run for all tests, and what a test file takes of them for itself. */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';

/** Of a superuser, on the server that all test files share. */
export const postgresUrl = (): string => inject('postgresUrl');

export const temporalAddress = (): string => inject('temporalAddress');

/** A name that no other test uses: a task queue, a workflow id, a workspace. */
export const uniqueName = (what: string): string => `${what}-${randomUUID().slice(0, 8)}`;

export interface TestDatabase {
  /** Of a superuser. */
  readonly url: string;
  /** Also while connections are open. */
  drop(): Promise<void>;
}

/** An empty database of one's own. Roles are shared by the whole server. */
export async function createDatabase(): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await statement(`create database ${name}`);
  const url = new URL(postgresUrl());
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => statement(`drop database if exists ${name} with (force)`) };
}

async function statement(sql: string): Promise<void> {
  const client = new pg.Client(postgresUrl());
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
