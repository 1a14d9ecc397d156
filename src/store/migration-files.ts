/** The numbered SQL files of the schema that this build was written for. The package includes `src/`. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The path leads to the same folder from `src/store` and from `dist/store`. */
export const SCHEMA_FOLDER = fileURLToPath(new URL('../../src/store/schema', import.meta.url));

/** For example `0010_grants`. The names are numbered, so they compare as text. */
export function latestMigration(): string {
  const names = readdirSync(SCHEMA_FOLDER).filter((name) => name.endsWith('.sql'));
  return (
    names
      .map((name) => name.slice(0, -'.sql'.length))
      .sort()
      .at(-1) ?? ''
  );
}
