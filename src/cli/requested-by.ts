/** Who rotates, for the record: `cli:ana@ops-1`. It proves nothing; the database's login does. */
import { hostname, userInfo } from 'node:os';

/** As the database keeps it. */
const MAX_LENGTH = 200;

export function requestedBy(): string {
  return `cli:${userName()}@${hostname()}`.slice(0, MAX_LENGTH);
}

/** A container may run as a user that its machine does not know. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? 'unknown'}`;
  }
}
