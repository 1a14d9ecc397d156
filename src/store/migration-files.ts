/** The numbered SQL files of the schema that this build was written for. The package includes `src/`. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The path leads to the same folder from `src/store` and from `dist/store`. */
export const SCHEMA_FOLDER = join(__dirname, '../../src/store/schema');

/** For example `0012_grants`. The names are numbered, so they compare as text. */
export function latestMigration(): string {
  const names = readdirSync(SCHEMA_FOLDER).filter((name) => name.endsWith('.sql'));
  return (
    names
      .map((name) => name.slice(0, -'.sql'.length))
      .sort()
      .at(-1) ?? ''
  );
}
