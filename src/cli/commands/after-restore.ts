import type { Command } from 'commander';
import { withClient } from '../connections.js';
import { describeAnswers } from '../terminal/fence-text.js';
import { line, type Output } from '../terminal/output.js';
import { askWhether, YES } from '../terminal/prompts.js';

export function addAfterRestore(program: Command, output: Output): void {
  program
    .command('after-restore')
    .summary('let workflows continue after the database was restored')
    .description(
      'Run it after the database was restored to an earlier time, or after a failover that lost commits. Raises every ' +
        'version and the epoch, so that workflows whose references are newer than the database continue with what is ' +
        'stored, and waits until no worker serves what it read before. Safe to run again. Asks first if stdin is a ' +
        'terminal; otherwise --yes is required.',
    )
    .option(...YES)
    .action(async ({ yes = false }: { readonly yes?: boolean }) => {
      if (!yes) await askWhether('Raise the versions of all providers?');
      const fence = await withClient((client) => client.afterRestore());
      const answers = fence.workers.length > 0 ? describeAnswers(fence) : 'no worker is running';
      output.result({ fence }, [
        line('ok', 'raised', ['all versions, and the epoch']),
        line('ok', 'fenced', ['no worker serves what it read before', answers]),
      ]);
    });
}
