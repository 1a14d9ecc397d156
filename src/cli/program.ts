/** The command line: its commands, its help and its exit code. */
import { Command, CommanderError } from 'commander';
import { loadEnvFiles } from '../config/env-files.js';
import { BUILD } from '../config/package-version.js';
import { hardenProcess } from '../config/process-hardening.js';
import { addAfterRestore } from './commands/after-restore.js';
import { addAudit } from './commands/audit.js';
import { addCheck } from './commands/check.js';
import { addConfigure } from './commands/configure.js';
import { addDev } from './commands/dev.js';
import { addDoctor } from './commands/doctor.js';
import { addEnableDisable } from './commands/enable-disable.js';
import { addGrants } from './commands/grants.js';
import { addImport } from './commands/import.js';
import { addInit } from './commands/init.js';
import { addList } from './commands/list.js';
import { addMigrate } from './commands/migrate.js';
import { addRemove } from './commands/remove.js';
import { addRewrap } from './commands/rewrap.js';
import { addRollback } from './commands/rollback.js';
import { addRotate } from './commands/rotate.js';
import { addRotateEvery } from './commands/rotate-every.js';
import { addRotations } from './commands/rotations.js';
import { addSchedules } from './commands/schedules.js';
import { addShred } from './commands/shred.js';
import { addStatus } from './commands/status.js';
import { addUsage } from './commands/usage.js';
import { addWorker } from './commands/worker.js';
import { addWorkers } from './commands/workers.js';
import { EXIT, EXIT_CODES } from './exit-codes.js';
import type { CommandLineError } from './failure.js';
import { Output } from './terminal/output.js';

const AFTER_HELP = `
Settings come from the environment, or from the files of --env-file:
PROVIDER_MANAGER_DATABASE_URL (or DATABASE_URL) and ENCRYPTION_KEY,
TEMPORAL_ADDRESS for rotations and schedules, and more for worker and dev:
docs/configuration.md.

Exit codes:
${Object.entries(EXIT_CODES)
  .map(([code, meaning]) => `  ${code}  ${meaning}`)
  .join('\n')}

Examples:
  $ workspace-providers init
  $ workspace-providers configure ws_acme llm anthropic < anthropic-key
  $ workspace-providers list ws_acme
  $ workspace-providers check ws_acme --json
  $ workspace-providers rotate ws_acme llm anthropic < next-key`;

/** @returns the exit code */
export async function runCli(argv: readonly string[]): Promise<number> {
  const output = new Output(argv.includes('--json'));
  try {
    hardenProcess();
    await createProgram(output).parseAsync(argv, { from: 'user' });
    return output.exitCode;
  } catch (error) {
    // Help that was asked for ends with 0. Help that is shown because no command was given needs no error message.
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    if (error instanceof CommanderError && error.code === 'commander.help' && !output.json) return EXIT.invalid;
    return output.failure(error);
  }
}

/** Builds the commands, for `runCli` and the generator of docs/cli.md. */
export function createProgram(output: Output): Command {
  const program = new Command('workspace-providers')
    .description('Per-workspace credentials for Temporal agent workflows.')
    .version(BUILD)
    .option('--json', 'one JSON document on stdout, for scripts')
    .option('--env-file <path>', 'read settings from a file; repeatable', (path, paths: string[] = []) => [
      ...paths,
      path,
    ])
    .hook('preAction', (root) => loadEnvFiles(root.opts<{ envFile?: string[] }>().envFile ?? []))
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: () => {} })
    .helpCommand(false)
    .addHelpText('after', AFTER_HELP);
  const commands = [
    addInit,
    addDoctor,
    addMigrate,
    addAfterRestore,
    addConfigure,
    addImport,
    addList,
    addCheck,
    addEnableDisable,
    addRemove,
    addRewrap,
    addShred,
    addRotate,
    addRollback,
    addRotations,
    addRotateEvery,
    addSchedules,
    addStatus,
    addAudit,
    addUsage,
    addGrants,
    addWorkers,
    addWorker,
    addDev,
  ];
  for (const add of commands) add(program, output);
  nameInErrors(program, program.name());
  return program;
}

/** An error of the command line says whose help explains it. */
function nameInErrors(command: Command, path: string): void {
  command.exitOverride((error: CommandLineError) => {
    error.command = path;
    throw error;
  });
  for (const sub of command.commands) nameInErrors(sub, `${path} ${sub.name()}`);
}
