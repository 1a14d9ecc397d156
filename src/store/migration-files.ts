/** The schema that this build was written for, as the numbered files that make it. The package ships `src/`. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The same folder from `src/store` and from `dist/store`. */
export const MIGRATIONS_FOLDER = fileURLToPath(new URL('../../src/store/migrations', import.meta.url));

/** `0004_read_workspace`; names are numbered, so they compare as text. */
export function latestMigration(): string {
  const names = readdirSync(MIGRATIONS_FOLDER).filter((name) => name.endsWith('.sql'));
  return (
    names
      .map((name) => name.slice(0, -'.sql'.length))
      .sort()
      .at(-1) ?? ''
  );
}
