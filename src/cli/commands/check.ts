import type { Command } from 'commander';
import type { ProviderCheckReport } from '../../management/provider-check.js';
import type { ProviderClient } from '../../management/provider-client.js';
import { isProviderError, ProviderError } from '../../protocol/errors.js';
import { describeProvider } from '../../protocol/names.js';
import type { ProviderIdentity } from '../../protocol/references.js';
import { commandTypes, withClient } from '../connections.js';
import { EXIT, exitCodeOf } from '../exit-codes.js';
import { describeFailure } from '../failure.js';
import { line, type Output } from '../terminal/output.js';

/** A provider that could not be checked is listed with its error, beside the others. */
type Checked = ProviderCheckReport | (ProviderIdentity & { readonly error: ProviderError });

const OUTCOMES = {
  ok: { kind: 'ok', verb: 'ok', exitCode: EXIT.ok },
  rejected: { kind: 'bad', verb: 'rejected', exitCode: EXIT.rejected },
  'cannot-tell': { kind: 'unsure', verb: 'cannot tell', exitCode: EXIT.unavailable },
} as const;

/** If there are several outcomes, the gravest decides the exit code. */
const BY_GRAVITY: readonly number[] = [EXIT.rejected, EXIT.invalid, EXIT.notConfigured, EXIT.unavailable];

export function addCheck(program: Command, output: Output): void {
  program
    .command('check <workspace> [type] [name]')
    .summary('ask the live services whether they accept the credentials')
    .description(
      'Asks the live services, by calls that cost nothing, whether they accept the stored credentials, and records ' +
        'the answers. Checks one provider, one type, or the whole workspace. Ends with 4 if a credential is rejected ' +
        'or does not open, otherwise with 5 if a service could not tell.',
    )
    .action(async (workspaceId: string, type?: string, name?: string) => {
      const checks = await withClient((client) => checkAll(client, workspaceId, type, name));
      output.result({ workspaceId, checks: checks.map(toDocument) }, checks.map(toLine));
      const codes = checks.map((check) =>
        'error' in check ? exitCodeOf(check.error) : OUTCOMES[check.outcome].exitCode,
      );
      output.exitCode = BY_GRAVITY.find((code) => codes.includes(code)) ?? EXIT.ok;
    });
}

async function checkAll(client: ProviderClient, workspaceId: string, type?: string, name?: string): Promise<Checked[]> {
  if (type !== undefined && name !== undefined) return [await client.checkProvider({ workspaceId, type, name })];
  if (type !== undefined) commandTypes().get(type);
  const wanted = (await client.listProviders(workspaceId)).filter((each) => type === undefined || each.type === type);
  if (wanted.length > 0) return Promise.all(wanted.map((each) => check(client, each)));
  const what = type === undefined ? 'providers' : `providers of type ${type}`;
  throw new ProviderError('ProviderNotConfigured', `${workspaceId} has no ${what}`);
}

async function check(client: ProviderClient, { workspaceId, type, name }: ProviderIdentity): Promise<Checked> {
  try {
    return await client.checkProvider({ workspaceId, type, name });
  } catch (error) {
    // If Postgres is unavailable, the other providers cannot be checked either.
    if (!isProviderError(error) || error.retryable) throw error;
    return { workspaceId, type, name, error };
  }
}

function toDocument(check: Checked): object {
  return 'error' in check ? { ...check, error: describeFailure(check.error) } : check;
}

function toLine(check: Checked): string {
  if ('error' in check) return line('bad', 'failed', [describeProvider(check), check.error.type, check.error.message]);
  const { kind, verb } = OUTCOMES[check.outcome];
  const facts = [describeProvider(check), `version ${check.version}`, `${check.detail} (${check.tookMs} ms)`];
  return line(kind, verb, facts);
}
