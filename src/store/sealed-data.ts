/** Whether a database has data that only an existing root key opens, so that a new one must not be made. */
import type { AdministratorSession } from './administrator.js';

/** @param session - of an administrator, who is a member of `provider_auditor`, of a migrated database */
export async function hasDataKeys(session: AdministratorSession): Promise<boolean> {
  const { rowCount } = await session.query("select from provider_api.list_data_keys('', '', 1)");
  return rowCount !== 0;
}
