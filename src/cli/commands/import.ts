import { open } from 'node:fs/promises';
import { addAbortSignal, type Readable } from 'node:stream';
import { type Command, Option } from 'commander';
import type { ExistingProviders } from '../../management/import-plan.js';
import type { ImportReport } from '../../management/import-providers.js';
import type { ProviderClient } from '../../management/provider-client.js';
import { isProviderError } from '../../protocol/errors.js';
import { withClient } from '../connections.js';
import { EXIT } from '../exit-codes.js';
import { UsageError } from '../failure.js';
import { fenceChange, NO_WAIT } from '../fence-change.js';
import { ImportView } from '../terminal/import-view.js';
import { line, type Output } from '../terminal/output.js';

interface CommandOptions {
  readonly replace?: boolean;
  readonly skipExisting?: boolean;
  readonly dryRun?: boolean;
  readonly wait: boolean;
}

const AFTER_HELP = `
Each line is a JSON object with workspaceId, type, name, config and secret, as
for configure. All lines are checked before the first is written: if one does
not fit, every line that does not is reported with its number and its fields,
and nothing is written. A provider that exists with the same config and secret
is left as it is, so an import that was interrupted is completed by running it
again. At most 100,000 providers.

Examples:
  $ workspace-providers import providers.ndjson --dry-run
  $ workspace-providers import < providers.ndjson

  with a file that has lines such as
  {"workspaceId":"ws_acme","type":"llm","name":"anthropic","secret":{"apiKey":"…"}}`;

export function addImport(program: Command, output: Output): void {
  program
    .command('import [file]')
    .summary('store many providers, from NDJSON')
    .description(
      'Stores many providers with their secrets sealed: from a file, or from stdin, with one provider per line. Waits ' +
        'once, at the end, until no worker serves an older version. A provider that exists with another config or ' +
        'secret is refused, unless an option says what to do.',
    )
    .addOption(new Option('--replace', 'replace providers that exist').conflicts('skipExisting'))
    .option('--skip-existing', 'leave providers that exist as they are')
    .option('--dry-run', 'check everything, also against the database, and write nothing')
    .option(...NO_WAIT)
    .addHelpText('after', AFTER_HELP)
    .action(async (file: string | undefined, options: CommandOptions) => {
      const source = await openSource(file);
      try {
        await withClient((client) => importFrom(source, client, options, output));
      } finally {
        source.destroy();
      }
    });
}

async function importFrom(
  source: Readable,
  client: ProviderClient,
  { replace, skipExisting, dryRun = false, wait }: CommandOptions,
  output: Output,
): Promise<void> {
  const existing: ExistingProviders = replace ? 'replace' : skipExisting ? 'skip' : 'refuse';
  const view = new ImportView();
  let interruption: AbortSignal | undefined;
  try {
    await fenceChange<ImportReport>(output, {
      async run({ onChanged, signal, ...change }) {
        interruption = signal;
        const input = signal ? addAbortSignal(signal, source) : source;
        return client.importProviders(input, {
          ...{ ...change, existing, dryRun, onImport: view.show },
          ...(signal && { signal }),
          onChanged(report) {
            view.end();
            if (report.providers === 0) throw new UsageError('the input has no provider: nothing was imported');
            if (!report.complete) output.exitCode = EXIT.interrupted;
            onChanged?.(report);
          },
        });
      },
      document: ({ fence, ...report }) => ({ ...report, dryRun }),
      line: (report) => describe(report, dryRun),
      fenced: 'no worker has served an older version',
      wait: wait && !dryRun,
    });
  } catch (error) {
    if (!interruption?.aborted || isProviderError(error)) throw error;
    output.exitCode = EXIT.interrupted;
    output.result({ interrupted: true }, [line('unsure', 'interrupted', ['nothing was imported'])]);
  } finally {
    view.end();
  }
}

function describe({ added, replaced, unchanged, skipped, complete }: ImportReport, dryRun: boolean): string {
  const done = [
    ...[
      dryRun ? `${added} to add` : `${added} added`,
      replaced > 0 && `${replaced} ${dryRun ? 'to replace' : 'replaced'}`,
    ],
    ...[unchanged > 0 && `${unchanged} unchanged`, skipped > 0 && `${skipped} skipped`],
  ].filter((fact) => fact !== false);
  if (!complete) return line('unsure', 'interrupted', [...done, 'import the same again for the rest']);
  return dryRun ? line('ok', 'valid', [...done, 'nothing was written']) : line('ok', 'imported', done);
}

async function openSource(file: string | undefined): Promise<Readable> {
  if (file === undefined) {
    if (!process.stdin.isTTY) return process.stdin;
    throw new UsageError('name a file, or pipe one provider per line to stdin');
  }
  try {
    return (await open(file)).createReadStream();
  } catch {
    throw new UsageError('the file cannot be read: check its path and who may read it');
  }
}
