/**
 * The work that every resolver must do, and no more: the same statement through a bare `pg` pool with the store's
 * settings, and jose's decryption of the same JWE.
 */
import { compactDecrypt } from 'jose';
import pg from 'pg';

/** The statement of `src/store/provider-store.ts`. */
const READ_WORKSPACE = {
  name: 'read_workspace',
  text: 'select epoch, lineage, data_keys, providers from provider_api.read_workspace($1)',
};

/** The statement without row-level security, functions and snapshots. */
const SELECT_ROW = {
  name: 'select_row',
  text: `select config, encrypted_config, status, version from workspace_providers
    where workspace_id = $1 and provider_type = 'llm' and provider_name = 'anthropic'`,
};

/**
 * Opens a pool as `src/store/pool.ts` does, but with longer timeouts: a busy machine must not end a benchmark.
 *
 * @param {string} connectionString
 * @param {number} max
 */
export function openPool(connectionString, max = 10) {
  const pool = new pg.Pool({
    connectionString,
    max,
    connectionTimeoutMillis: 120_000,
    query_timeout: 120_000,
    idleTimeoutMillis: 300_000,
    keepAlive: true,
  });
  // Some sessions end with the server, after `end` has resolved.
  pool.on('error', () => {});
  return pool;
}

/**
 * @param {pg.Pool} pool
 * @param {string} workspaceId
 */
export async function readWorkspace(pool, workspaceId) {
  return (await pool.query({ ...READ_WORKSPACE, values: [workspaceId] })).rows[0];
}

/**
 * Reads the one row, as a superuser.
 *
 * @param {pg.Pool} pool
 * @param {string} workspaceId
 */
export async function selectRow(pool, workspaceId) {
  return (await pool.query({ ...SELECT_ROW, values: [workspaceId] })).rows[0];
}

/** The JWE of the row that holds the LLM key. */
export function sealedIn({ providers }) {
  return providers.find(({ provider_type: type }) => type === 'llm').encrypted_config;
}

/**
 * @param {string} jwe
 * @param {import('node:crypto').webcrypto.CryptoKey} dataKey
 */
export async function decrypt(jwe, dataKey) {
  return (await compactDecrypt(jwe, dataKey)).plaintext;
}

/** Unwraps and imports the active data key that `readWorkspace` has read. */
export async function dataKeyOf({ data_keys: [active] }, workspaceId, rootKeyring) {
  const wrapped = { kid: active.kid, wrappedKey: active.wrapped_key, rootKeyId: active.root_key_id };
  const bytes = await rootKeyring.unwrap(wrapped, workspaceId);
  return crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['decrypt']);
}

/**
 * Returns a function that calls `get` with the next workspace at each call, in a circle.
 *
 * @param {readonly string[]} workspaceIds
 * @param {(workspaceId: string) => unknown} get
 */
export function inTurn(workspaceIds, get) {
  let next = 0;
  return () => {
    next = (next + 1) % workspaceIds.length;
    return get(workspaceIds[next]);
  };
}
