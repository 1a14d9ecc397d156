import type { Command } from 'commander';
import { DURATION_RULE, describeDuration, parseDuration } from '../../config/duration.js';
import type { Revocation } from '../../grants/grant-keys.js';
import type { WrittenKeySet } from '../../grants/key-files.js';
import { isProviderError, ProviderError } from '../../protocol/errors.js';
import type { GrantKind } from '../../protocol/grants.js';
import { awaitKeySet, type KeySetReport } from '../await-key-set.js';
import { withClient } from '../connections.js';
import { EXIT } from '../exit-codes.js';
import { UsageError } from '../failure.js';
import { interruptible } from '../terminal/live-view.js';
import { line, type Output } from '../terminal/output.js';

interface CreateKeyOptions {
  readonly signingKey: string;
  readonly keySet: string;
  readonly for: string;
}

interface RevokeOptions {
  readonly keySet: string;
  readonly workflow?: string;
  readonly subject?: string;
  readonly grant?: string;
  readonly wait: boolean;
  readonly waitLimit: string;
}

interface Revoked extends WrittenKeySet {
  readonly revoked: Revocation;
}

/** How much the clock of a signer may be ahead: what it signs now may carry a time that is later by as much. */
const TOLERANCE_MS = 60_000;

const GRANTS: ReadonlyMap<string, readonly GrantKind[]> = new Map([
  ['workspaces', ['workspace']],
  ['operators', ['operator']],
  ['both', ['workspace', 'operator']],
]);

export function addGrants(program: Command, output: Output): void {
  const commands = program
    .command('grants')
    .helpCommand(false)
    .summary('create keys that sign grants, and revoke grants')
    .description('Creates keys that sign grants, and revokes grants.');

  commands
    .command('create-key')
    .summary('create a key that signs grants')
    .description(
      'Creates a key that signs grants. The private key is written to a new file, for the services that start ' +
        'workflows (PROVIDER_GRANT_SIGNING_KEY); the public key is added to the key set that workers read ' +
        '(PROVIDER_GRANT_KEYS).',
    )
    .requiredOption('--signing-key <file>', 'the new file for the private key; it must not exist')
    .requiredOption('--key-set <file>', 'the file of the public keys; created if it does not exist')
    .option('--for <subjects>', 'which grants the key may sign: workspaces, operators or both', 'workspaces')
    .action(async ({ signingKey, keySet, for: subjects }: CreateKeyOptions) => {
      const grants = GRANTS.get(subjects);
      if (!grants) throw new UsageError('--for must be workspaces, operators or both');
      const { writeGrantKey } = await import('../../grants/key-files.js');
      const { kid, warnings } = await writeGrantKey(signingKey, keySet, grants);
      output.result({ kid, grants, warnings }, [
        line('ok', 'created', [`key ${kid}`, `signs grants of ${grants.map((kind) => `${kind}s`).join(' and ')}`]),
        ...warnings.map((warning) => line('unsure', 'warning', [warning])),
      ]);
    });

  commands
    .command('revoke')
    .summary('revoke grants that were signed')
    .description(
      'Revokes grants, by an entry in the key set that workers read: the grants of a workflow and of everything ' +
        'under its id, all grants that were signed for a workspace or an operator, or one grant. It covers what is ' +
        'signed until a minute from now, because clocks differ: what starts after that minute is served. Waits until ' +
        'every worker has read the key set, for which it needs the settings of the database.',
    )
    .requiredOption('--key-set <file>', 'the file of the public keys')
    .option('--workflow <id>', 'revoke all grants that were signed for this workflow')
    .option('--subject <name>', 'revoke all grants that were signed for this workspace or operator')
    .option('--grant <id>', 'revoke the grant with this id')
    .option('--wait-limit <duration>', 'how long to wait for the workers', '2m')
    .option('--no-wait', 'do not wait until every worker has read the key set; needs no database')
    .action(async (options: RevokeOptions) => {
      const limitMs = parseDuration(options.waitLimit);
      if (limitMs === undefined) throw new UsageError(`--wait-limit must be ${DURATION_RULE}`);
      const revocation = revocationOf(options);
      if (!options.wait) return output.document(await revoke(output, options.keySet, revocation));
      await revokeAndWait(output, options.keySet, revocation, limitMs);
    });
}

async function revoke(output: Output, keySet: string, revocation: Revocation): Promise<Revoked> {
  const { revokeGrants } = await import('../../grants/key-files.js');
  const { warnings } = await revokeGrants(keySet, revocation);
  const [what, until] = Object.values(revocation);
  output.print(line('ok', 'revoked', [what, until && `until ${until}`]));
  for (const warning of warnings) output.print(line('unsure', 'warning', [warning]));
  return { revoked: revocation, warnings };
}

/** If Postgres is away, the grants are revoked nevertheless. Settings that are wrong are found before. */
async function revokeAndWait(output: Output, keySet: string, revocation: Revocation, limitMs: number): Promise<void> {
  const { revisionOfFile } = await import('../../grants/key-files.js');
  let revoked: Revoked | undefined;
  try {
    const workers = await withClient(async (client) => {
      revoked = await revoke(output, keySet, revocation);
      const listWorkers = () => client.listWorkers();
      return interruptible((signal) =>
        awaitKeySet({ listWorkers, revision: () => revisionOfFile(keySet), limitMs, signal }),
      );
    });
    if (!workers.complete) output.exitCode = EXIT.unfinished;
    output.print(readLine(workers));
    output.document({ ...revoked, workers });
  } catch (error) {
    if (!isProviderError(error)) throw error;
    if (!revoked && !error.retryable) {
      throw new ProviderError(error.type, `${error.message}\n(--no-wait needs no database)`, error.facts);
    }
    const done = revoked ?? (await revoke(output, keySet, revocation));
    output.exitCode = EXIT.unfinished;
    const text = `the grants were revoked, but it is not known which workers have read it: ${error.message}`;
    output.print(line('unsure', 'unknown', [text]));
    output.document({ ...done, error: { type: error.type, message: text, fields: error.facts.fields ?? [] } });
  }
}

function readLine({ complete, workers, tookMs }: KeySetReport): string {
  const of = (outcome: string) => workers.filter((worker) => worker.outcome === outcome);
  const checking = workers.length - of('no-grants').length;
  const others = [
    of('silent').length > 0 && `${of('silent').length} did not answer and hold no lease`,
    of('no-grants').length > 0 && `${of('no-grants').length} check no grants`,
  ];
  const facts = others.filter((fact) => fact !== false);
  const noun = checking === 1 ? 'worker' : 'workers';
  if (complete) {
    const read = `${of('read').length} of ${checking} ${noun} have read it, after ${describeDuration(tookMs)}`;
    return line('ok', 'in force', [checking === 0 ? 'no worker that checks grants is running' : read, ...facts]);
  }
  const names = of('waiting').map(({ identity }) => identity);
  return line('unsure', 'not read', [
    `${names.length} of ${checking} ${noun} still use another key set: ${names.join(', ')}`,
    ...facts,
    'check what their PROVIDER_GRANT_KEYS leads to, or restart them',
  ]);
}

function revocationOf({ workflow, subject, grant }: RevokeOptions): Revocation {
  const issuedBefore = new Date(Date.now() + TOLERANCE_MS).toISOString();
  const asked = [
    ...(workflow === undefined ? [] : [{ workflowId: workflow, issuedBefore }]),
    ...(subject === undefined ? [] : [{ subject, issuedBefore }]),
    ...(grant === undefined ? [] : [{ grantId: grant }]),
  ];
  const [revocation, another] = asked;
  if (!revocation || another) throw new UsageError('give exactly one of --workflow, --subject and --grant');
  return revocation;
}
