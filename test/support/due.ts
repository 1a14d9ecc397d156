import type { ProviderIdentity } from '../../src/protocol/references.js';
import { type TestDatabase, withSession } from './database.js';

/** Makes the provider's credential 31 days old. */
export async function pastDue(
  { ownerUrl }: TestDatabase,
  { workspaceId, type, name }: ProviderIdentity,
): Promise<void> {
  await run(
    ownerUrl,
    `update workspace_providers set rotated_at = now() - interval '31 days'
      where (workspace_id, provider_type, provider_name) = ($1, $2, $3)`,
    [workspaceId, type, name],
  );
}

/** Makes the staged rotation an hour old: nobody is about to start it any more. */
export async function stagedLongAgo({ ownerUrl }: TestDatabase, rotationId: string): Promise<void> {
  const text = `update provider_rotations set created_at = now() - interval '1 hour',
    starting_until = starting_until - interval '1 hour' where rotation_id = $1`;
  await run(ownerUrl, text, [rotationId]);
}

async function run(url: string, text: string, values: readonly string[]): Promise<void> {
  await withSession(url, async (session) => {
    const { rowCount } = await session.query(text, [...values]);
    if (rowCount !== 1) throw new Error(`one row was expected to change, but ${rowCount} did`);
  });
}
