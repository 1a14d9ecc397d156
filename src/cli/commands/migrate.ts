import type { Command } from 'commander';
import { readAdminDatabaseUrl } from '../../config/manager-config.js';
import { takeEnvironment } from '../../config/process-hardening.js';
import { Settings } from '../../config/settings.js';
import { migrate } from '../../store/migrate.js';
import { type Fault, findFaults, repair } from '../../store/repair.js';
import { EXIT } from '../exit-codes.js';
import { line, type Output } from '../terminal/output.js';
import { askWhether, YES } from '../terminal/prompts.js';

interface MigrateOptions {
  readonly repair?: true;
  readonly yes?: true;
}

export function addMigrate(program: Command, output: Output): void {
  program
    .command('migrate')
    .summary("migrate the database to this version's schema")
    .description(
      "Migrates the database of PROVIDER_ADMIN_DATABASE_URL (or DATABASE_URL) to this version's schema. Safe to run " +
        'again, and by several processes at once. The login must own the database and be allowed to create roles.',
    )
    .option('--repair', "then take away rights and policies beside the schema's, and put its own back; asks first")
    .option(...YES)
    .action(async (options: MigrateOptions) => {
      const databaseUrl = readAdminDatabaseUrl(new Settings(takeEnvironment()));
      const applied = await migrate(databaseUrl);
      const lines = applied.map((name) => line('ok', 'applied', [name]));
      if (lines.length === 0) lines.push(line('ok', 'up to date', ['nothing was applied']));
      if (!options.repair) return output.result({ applied }, lines);
      const { found, left } = await repairAfterAsking(databaseUrl, options.yes === true, output);
      for (const { fault, where } of found) {
        const isLeft = left.some((other) => other.where === where);
        lines.push(line(isLeft ? 'bad' : 'ok', isLeft ? 'left' : 'repaired', [where, fault]));
      }
      if (found.length === 0) lines.push(line('ok', 'nothing to repair', ['the rights are those of the schema']));
      output.result({ applied, found, left }, lines);
      if (left.length > 0) output.exitCode = EXIT.unfinished;
    });
}

/** @returns the faults that were found, and those that a repair cannot correct */
async function repairAfterAsking(databaseUrl: string, isAgreed: boolean, output: Output) {
  const found = await findFaults(databaseUrl);
  if (found.length === 0) return { found, left: found };
  if (!isAgreed) {
    for (const { fault, where } of found) output.note(`${where}: ${fault}`);
    await askWhether('Take these away, and put the rights, policies and triggers of the schema back?');
  }
  const left: readonly Fault[] = await repair(databaseUrl);
  return { found, left };
}
