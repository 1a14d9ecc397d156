import type { Command } from 'commander';
import { withClient } from '../connections.js';
import { EXIT } from '../exit-codes.js';
import { line, type Output } from '../terminal/output.js';

export function addRewrap(program: Command, output: Output): void {
  program
    .command('rewrap')
    .summary('wrap every data key under the active root key')
    .description(
      'Wraps the data keys of all workspaces under the active root key of ENCRYPTION_KEY, so that an older root key ' +
        'can be removed from it. Credentials do not change, and workers continue. Safe to run again. Ends with 4 if ' +
        'a data key cannot be unwrapped.',
    )
    .action(async () => {
      const report = await withClient((client) => client.rewrapDataKeys());
      const { rewrapped, unchanged, lost } = report;
      const done = line('ok', 'rewrapped', [`${rewrapped} data keys`, `${unchanged} did not need it`]);
      const unreadable = lost.map((workspaceId) =>
        line('bad', 'lost', [workspaceId, 'its root key is not in ENCRYPTION_KEY']),
      );
      output.result(report, [done, ...unreadable]);
      if (lost.length > 0) output.exitCode = EXIT.rejected;
    });
}
