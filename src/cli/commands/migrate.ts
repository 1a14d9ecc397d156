import type { Command } from 'commander';
import { migrate } from '../../store/migrate.js';
import { Settings } from '../../temporal/settings.js';
import { line, type Output } from '../output.js';
import { takeEnvironment } from '../process-hardening.js';

export function addMigrate(program: Command, output: Output): void {
  program
    .command('migrate')
    .summary('bring the database to the schema of this version')
    .description(
      'Brings the database that DATABASE_URL names to the schema of this version. Safe to run again, and by several ' +
        'at once. The login must own the database and may create roles.',
    )
    .action(async () => {
      const settings = new Settings(takeEnvironment());
      const databaseUrl = settings.databaseUrl('DATABASE_URL', 'the Postgres to migrate, as postgres://…');
      settings.throwIfRefused();
      const applied = await migrate(databaseUrl);
      const lines = applied.map((name) => line('ok', 'applied', [name]));
      output.result({ applied }, lines.length > 0 ? lines : [line('ok', 'up to date', ['nothing was applied'])]);
    });
}
