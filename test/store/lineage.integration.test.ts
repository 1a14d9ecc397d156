/** A database that is not the one that it was: what workers, fences and managers notice, on a real Postgres. */
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
