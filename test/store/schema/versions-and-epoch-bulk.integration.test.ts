/** Writing many rows in one session: each row costs the same, however many there are. */
import { expect, it } from 'vitest';
import { withSession } from '../../support/database.js';
import { useDatabase } from '../../support/use-database.js';
import { sealed } from '../rows.js';

const database = useDatabase();

const insert = (from: number, to: number) => `
  insert into workspace_providers (workspace_id, provider_type, provider_name, config, encrypted_config)
    select 'ws_' || n, 'llm', 'anthropic', '{}', '${sealed('a')}' from generate_series(${from}, ${to}) as n`;

it('a session that has begun with an empty table reads no table as a whole for each row', async () => {
  const rowsRead = await withSession(database.ownerUrl, async (session) => {
    // The plans of the triggers' statements are made now, for a small table that has been analyzed.
    for (let n = 1; n <= 10; n += 1) await session.query(insert(n, n));
    await session.query('analyze workspace_providers, provider_versions, provider_changes, provider_rotations');
    for (let n = 11; n <= 30; n += 1) await session.query(insert(n, n));
    const read = async () => {
      await session.query('select pg_stat_force_next_flush()');
      const { rows } = await session.query(`select sum(seq_tup_read)::bigint as count from pg_stat_user_tables`);
      return Number(rows[0].count);
    };
    const before = await read();
    await session.query(insert(31, 2_000));
    await session.query(`update workspace_providers set encrypted_config = '${sealed('b')}'`);
    return (await read()) - before;
  });
  // The update itself reads the 2,000 rows.
  expect(rowsRead).toBeLessThan(10_000);
});
