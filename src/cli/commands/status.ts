import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { DURATION_RULE, parseDuration } from '../../config/duration.js';
import { readManagerDatabase } from '../../config/manager-config.js';
import { takeEnvironment } from '../../config/process-hardening.js';
import { readFleetStatus } from '../../management/fleet-status.js';
import { isProviderError } from '../../protocol/errors.js';
import { type ManagementStore, openManagementStore } from '../../store/management-store.js';
import { EXIT, exitCodeOf } from '../exit-codes.js';
import { describeFailure, UsageError } from '../failure.js';
import { type Attention, attentionTo } from '../status/attention.js';
import type { WatchedFleet } from '../status/fleet-in-temporal.js';
import { statusLines } from '../status/status-lines.js';
import { interruptible, LiveView } from '../terminal/live-view.js';
import { line, type Output } from '../terminal/output.js';

const WATCH_EVERY = '2s';

const AFTER_HELP = `
With --json it prints one object: readAt, schema, epoch, lineage, workers,
keySets, rotations, troubled, cut, temporal and attention; docs/watching.md
describes them. With --watch, one object per reading.

Examples:
  $ workspace-providers status --watch
  $ workspace-providers status --json | jq -r '.attention[].message'`;

type Reading = WatchedFleet & { readonly attention: readonly Attention[] };

export function addStatus(program: Command, output: Output): void {
  program
    .command('status')
    .summary('show workers, leases, rotations under way, and what needs a person')
    .description(
      'Shows the workers with their leases and versions, the epoch, the key sets of grants, the rotations under way ' +
        'with what they wait for, and the schema. Then it lists what needs a person: workers without a lease, ' +
        'credentials that are older than their interval or were refused, rotations that do not end; each with what to ' +
        'do. Ends with 7 if there is something; otherwise with 5 if Temporal does not answer.',
    )
    .option('--watch [interval]', `read again after each interval (default: ${WATCH_EVERY}), until Ctrl-C`)
    .addHelpText('after', AFTER_HELP)
    .action(async ({ watch }: { readonly watch?: string | true }) => {
      const everyMs = parseDuration(watch === undefined || watch === true ? WATCH_EVERY : watch);
      if (!everyMs) throw new UsageError(`--watch must be ${DURATION_RULE}`);
      const store = openManagementStore(readManagerDatabase(takeEnvironment()));
      try {
        if (watch === undefined) show(await read(store), output);
        else await interruptible((signal) => watchFleet(store, { output, everyMs, signal }));
      } finally {
        await store.close();
      }
    });
}

async function read(store: ManagementStore): Promise<Reading> {
  const fleet = await readFleetStatus(store);
  // Temporal's client is loaded only now: what Postgres says needs no other package.
  const { askTemporal } = await import('../status/fleet-in-temporal.js');
  const whole = { ...fleet, ...(await askTemporal(fleet.rotations)) };
  return { ...whole, attention: attentionTo(whole) };
}

function show(reading: Reading, output: Output): void {
  output.exitCode = exitCode(reading);
  output.result(reading, statusLines(reading, reading.attention));
}

function exitCode({ attention, temporal }: Reading): number {
  if (attention.length > 0) return EXIT.needsPerson;
  return temporal.reachable ? EXIT.ok : EXIT.unavailable;
}

interface Watching {
  readonly output: Output;
  readonly everyMs: number;
  readonly signal: AbortSignal;
}

/** A Postgres that is away for a while does not end the watch. */
async function watchFleet(store: ManagementStore, { output, everyMs, signal }: Watching): Promise<void> {
  let lines: readonly string[] = [];
  const view = output.isLive ? new LiveView(process.stdout, () => lines) : undefined;
  try {
    while (!signal.aborted) {
      const {
        document,
        lines: next,
        code,
      } = await read(store).then(
        (reading) => ({ document: reading, lines: statusLines(reading, reading.attention), code: exitCode(reading) }),
        (error: unknown) => problem(error),
      );
      output.exitCode = code;
      lines = next;
      if (!view) output.result(document, [...next, '']);
      await delay(everyMs, undefined, { signal }).catch(() => {});
    }
  } finally {
    view?.end(lines);
  }
}

function problem(error: unknown): { document: object; lines: readonly string[]; code: number } {
  if (!isProviderError(error, 'StoreUnavailable')) throw error;
  const document = { readAt: new Date(), error: describeFailure(error) };
  return { document, lines: [line('bad', 'postgres', [error.message])], code: exitCodeOf(error) };
}
