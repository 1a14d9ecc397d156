/**
 * A million providers of a quarter of a million workspaces: what a read and the pages of schedules and commands take,
 * and how large the tables are. The rows are copies of one real workspace's, written past the triggers of the audit, so
 * they do not open: only `rewrap` decrypts anything, and the data keys that it finds to do are real.
 */

import { rewrapDataKeys } from '../dist/management/rewrap-data-keys.js';
import { parseLocalKeyring } from '../dist/sealing/local-keyring.js';
import { Sealer } from '../dist/sealing/sealer.js';
import { openManagementStore } from '../dist/store/management-store.js';
import { openProviderStore } from '../dist/store/provider-store.js';
import { openPool } from './bare-load.js';
import { inRounds, turnOfMs } from './rounds.js';
import { createEncryptionKey } from './workspaces.js';

const TABLES = ['workspace_providers', 'workspace_keys', 'provider_versions', 'provider_events'];
const TRIGGERED = ['workspace_providers', 'workspace_keys'];
const PER_WORKSPACE = 4;

/**
 * @param {{ workspaces: number, rewrapped: number, turnMs: number }} settings
 * @param {import('./database.js').BenchDatabase} database
 * @returns {Promise<import('./report.js').Part[]>}
 */
export async function benchMillion({ workspaces, rewrapped: toRewrap, turnMs }, database) {
  const { adminUrl, resolverUrl, managerUrl, encryptionKey, workspaceIds } = database;
  const pool = openPool(adminUrl);
  const store = openProviderStore({ databaseUrl: resolverUrl, queryTimeoutMs: 120_000 });
  const manager = openManagementStore({ databaseUrl: managerUrl, queryTimeoutMs: 120_000 });
  try {
    const nextKey = createEncryptionKey().replace('bench:', 'next:');
    const present = new Sealer(parseLocalKeyring(encryptionKey));
    const dataKeys = [];
    for (let index = 1; index <= toRewrap; index++) {
      const workspaceId = `big_${index}`;
      dataKeys.push({ workspaceId, ...(await present.createDataKey(workspaceId)) });
    }
    await fill(pool, workspaces, workspaceIds[0], 'next', dataKeys);
    const any = () => `big_${Math.floor(Math.random() * workspaces) + 1}`;
    const after = () => {
      const turn = 1 + Math.floor(Math.random() * PER_WORKSPACE);
      return { turn, provider: { workspaceId: any(), type: 'llm', name: 'anthropic' } };
    };
    const contenders = [
      { name: 'read of a workspace', run: () => store.readWorkspace(any()) },
      { name: 'list of a workspace', run: () => manager.listProviders(any()) },
      {
        name: 'check: a page of 100 active providers',
        run: () => manager.listActiveProviders({ after: after(), limit: 100 }),
      },
      {
        name: 'rotate-due: a page of 50, 1 in 1,000 due',
        run: () => manager.listDueRotations({ after: after(), limit: 50 }),
      },
      { name: 'rotate-due: the count of overdue ones', run: () => manager.countOverdue() },
      {
        name: 'rewrap: a page of 100 data keys',
        run: () => manager.listDataKeys({ workspaceId: any(), kid: '' }, 100),
      },
    ];
    const results = await inRounds(contenders, 3, turnOfMs(turnMs));
    const sealer = new Sealer(parseLocalKeyring(`${nextKey},${encryptionKey}`));
    const startedAtMs = performance.now();
    const { rewrapped, unchanged } = await rewrapDataKeys(manager, sealer);
    const tookNs = (performance.now() - startedAtMs) * 1e6;
    const turn = { samples: 1, min: tookNs, p50: tookNs, p99: tookNs, max: tookNs };
    results.push({
      name: 'rewrap: the whole command',
      ...{ p50: tookNs, p99: tookNs, rounds: [turn, turn, turn] },
      counts: { rewrapped, unchanged },
    });
    for (const { name, bytes } of await sizes(pool)) {
      const zero = { samples: 1, min: 0, p50: 0, p99: 0, max: 0 };
      results.push({ name, p50: 0, p99: 0, rounds: [zero, zero, zero], counts: { MB: bytes / 1e6 } });
    }
    return [{ title: `${workspaces * PER_WORKSPACE} providers of ${workspaces} workspaces`, unit: 'ms', results }];
  } finally {
    await Promise.all([pool.end(), store.close(), manager.close()]);
  }
}

/** With SQL for all rows at once, while the triggers are off: they would take minutes. */
async function fill(pool, workspaces, pattern, nextKeyId, dataKeys) {
  const { rows } = await pool.query(
    `select format('alter table %s disable trigger %I', tgrelid::regclass, tgname) as off,
        format('alter table %s enable always trigger %I', tgrelid::regclass, tgname) as on
      from pg_trigger where tgrelid = any ($1::regclass[]) and not tgisinternal`,
    [TRIGGERED],
  );
  await pool.query(rows.map(({ off }) => off).join('; '));
  await pool.query(
    `insert into workspace_providers (workspace_id, provider_type, provider_name, config, encrypted_config, version,
        turn, rotate_every, rotated_at)
      select 'big_' || n, p.provider_type, p.provider_name || case when copy = 1 then '' else '-2' end, p.config,
        p.encrypted_config, 1, p.turn, case when n % 10 = 0 then interval '90 days' end,
        now() - case when n % 1000 = 0 then interval '91 days' else interval '1 day' end
      from generate_series(1, $1::integer) as n,
        (select p.provider_type, p.provider_name, p.config, p.encrypted_config, copy,
            row_number() over (order by p.turn, copy) as turn
          from workspace_providers as p, generate_series(1, 2) as copy
          where p.workspace_id = $2 and (copy = 1 or p.provider_type = 'rpc')) as p`,
    [workspaces, pattern],
  );
  await pool.query(
    `insert into workspace_keys (workspace_id, kid, wrapped_key, root_key_id)
      select 'big_' || n, k.kid, k.wrapped_key, $3
      from generate_series($4::integer, $1::integer) as n, workspace_keys as k where k.workspace_id = $2`,
    [workspaces, pattern, nextKeyId, dataKeys.length + 1],
  );
  await pool.query(
    `insert into workspace_keys (workspace_id, kid, wrapped_key, root_key_id)
      select * from unnest($1::text[], $2::text[], $3::text[], $4::text[])`,
    ['workspaceId', 'kid', 'wrappedKey', 'rootKeyId'].map((column) => dataKeys.map((key) => key[column])),
  );
  await pool.query(`insert into provider_versions select workspace_id, provider_type, provider_name, version
    from workspace_providers where workspace_id like 'big\\_%'`);
  await pool.query(`insert into provider_events (workspace_id, provider_type, provider_name, version, event, actor)
    select workspace_id, provider_type, provider_name, version, 'created', 'bench'
    from workspace_providers where workspace_id like 'big\\_%'`);
  await pool.query(rows.map(({ on }) => on).join('; '));
  for (const table of TABLES) await pool.query(`vacuum analyze ${table}`);
}

async function sizes(pool) {
  const found = [];
  for (const table of TABLES) {
    const { rows } = await pool.query('select pg_total_relation_size($1::regclass)::float8 as bytes', [table]);
    found.push({ name: `${table}, with its indexes`, bytes: rows[0].bytes });
  }
  return found;
}
