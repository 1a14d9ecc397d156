import type { Command } from 'commander';
import { readAdminDatabaseUrl } from '../../config/manager-config.js';
import { takeEnvironment } from '../../config/process-hardening.js';
import { Settings } from '../../config/settings.js';
import { migrate } from '../../store/migrate.js';
import { line, type Output } from '../terminal/output.js';

export function addMigrate(program: Command, output: Output): void {
  program
    .command('migrate')
    .summary("migrate the database to this version's schema")
    .description(
      "Migrates the database of PROVIDER_ADMIN_DATABASE_URL (or DATABASE_URL) to this version's schema. Safe to run " +
        'again, and by several processes at once. The login must own the database and be allowed to create roles.',
    )
    .action(async () => {
      const applied = await migrate(readAdminDatabaseUrl(new Settings(takeEnvironment())));
      const lines = applied.map((name) => line('ok', 'applied', [name]));
      output.result({ applied }, lines.length > 0 ? lines : [line('ok', 'up to date', ['nothing was applied'])]);
    });
}
