import type { Command } from 'commander';
import { takeEnvironment } from '../../config/process-hardening.js';
import type { Finding } from '../../doctor/finding.js';
import { EXIT } from '../exit-codes.js';
import { line, type Mark, type Output } from '../terminal/output.js';

const AFTER_HELP = `
It reads the settings of workers, of managers and of services that start
workflows: give it as many as you have. Of a setting that several files have, the
last one counts. With --json it prints one object: outcome (ok, warn or fail) and
checks, each with check, outcome and message.

Examples:
  $ workspace-providers doctor --env-file worker.env --env-file manager.env
  $ workspace-providers doctor --task-queue agents --json`;

const SHOWN: Readonly<Record<Finding['outcome'], readonly [mark: Mark, verb: string]>> = {
  ok: ['ok', 'ok'],
  warn: ['unsure', 'warning'],
  fail: ['bad', 'failed'],
  skipped: ['unsure', 'skipped'],
};

export function addDoctor(program: Command, output: Output): void {
  program
    .command('doctor')
    .summary('check a set-up from end to end, and say what to do')
    .description(
      'Checks a set-up from end to end, and changes nothing: Node and the environment, the settings, the logins and ' +
        'their roles, the schema and its row-level security, poolers, notifications, clocks, the root key, the leases ' +
        'of workers, the keys of grants, Temporal and who polls there, and the hosts and packages of the stored ' +
        'providers. Each check is ok, a warning, failed or skipped, with what to do. Ends with 7 if one failed.',
    )
    .option('--task-queue <name>', 'the task queue of your workers (default: PROVIDER_TASK_QUEUE)')
    .addHelpText('after', AFTER_HELP)
    .action(async ({ taskQueue }: { readonly taskQueue?: string }) => {
      const { examineSetup } = await import('../../doctor/examine-setup.js');
      const env = takeEnvironment();
      const checks = await examineSetup(taskQueue === undefined ? env : { ...env, PROVIDER_TASK_QUEUE: taskQueue });
      const outcome =
        (['fail', 'warn'] as const).find((worst) => checks.some((each) => each.outcome === worst)) ?? 'ok';
      output.result({ outcome, checks }, checks.map(toLine));
      if (outcome === 'fail') output.exitCode = EXIT.needsPerson;
    });
}

function toLine({ check, outcome, message }: Finding): string {
  const [mark, verb] = SHOWN[outcome];
  return line(mark, verb, [check, message]);
}
