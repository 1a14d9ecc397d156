/** The command line: its commands, how it reads, and how it ends. */
import { Command, CommanderError } from 'commander';
import { EXIT } from '../protocol/exit-codes.js';
import { BUILD } from '../temporal/build.js';
import { addCheck } from './commands/check.js';
import { addConfigure } from './commands/configure.js';
import { addDev } from './commands/dev.js';
import { addEvents } from './commands/events.js';
import { addGrantKeys } from './commands/grant-keys.js';
import { addList } from './commands/list.js';
import { addMigrate } from './commands/migrate.js';
import { addRemove } from './commands/remove.js';
import { addRewrap } from './commands/rewrap.js';
import { addRollBack } from './commands/roll-back.js';
import { addRotate } from './commands/rotate.js';
import { addRotateEvery } from './commands/rotate-every.js';
import { addRotations } from './commands/rotations.js';
import { addSchedules } from './commands/schedules.js';
import { addShred } from './commands/shred.js';
import { addSwitches } from './commands/switch.js';
import { addUses } from './commands/uses.js';
import { addWorker } from './commands/worker.js';
import { addWorkers } from './commands/workers.js';
import { Output } from './output.js';

const AFTER_HELP = `
Settings come from the environment: DATABASE_URL and ENCRYPTION_KEY, for what
rotates TEMPORAL_ADDRESS, and for worker and dev more: docs/configuration.md.

Exit codes:
  0  done
  1  a bug
  2  input or settings do not fit; nothing was changed
  3  no such provider, or it is disabled
  4  the credential was rejected, or does not open
  5  Postgres, Temporal or the service is away or cannot tell: try again
  6  a rotation was broken off after it changed the credential; see the message
  130  Ctrl-C ended the wait; what was begun is done, or goes on

Examples:
  $ workspace-providers migrate
  $ workspace-providers configure ws_acme llm anthropic < anthropic-key
  $ workspace-providers list ws_acme
  $ workspace-providers check ws_acme --json
  $ workspace-providers rotate ws_acme llm anthropic < next-key`;

/** @returns the exit code */
export async function runCli(argv: readonly string[]): Promise<number> {
  const output = new Output(argv.includes('--json'));
  try {
    await createProgram(output).parseAsync(argv, { from: 'user' });
    return output.exitCode;
  } catch (error) {
    // Help that was asked for ends with 0; help because nothing was asked has said all there is to say.
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    if (error instanceof CommanderError && error.code === 'commander.help' && !output.json) return EXIT.invalid;
    return output.failure(error);
  }
}

function createProgram(output: Output): Command {
  const program = new Command('workspace-providers')
    .description("Each workspace's own credentials for the steps of its agent workflows.")
    .version(BUILD)
    .option('--json', 'one JSON document on stdout, for scripts')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: () => {} })
    .helpCommand(false)
    .addHelpText('after', AFTER_HELP);
  const commands = [
    addMigrate,
    addConfigure,
    addList,
    addCheck,
    addSwitches,
    addRemove,
    addRewrap,
    addShred,
    addRotate,
    addRollBack,
    addRotations,
    addRotateEvery,
    addSchedules,
    addEvents,
    addUses,
    addGrantKeys,
    addWorkers,
    addWorker,
    addDev,
  ];
  for (const add of commands) add(program, output);
  return program;
}
