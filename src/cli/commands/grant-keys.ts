import type { Command } from 'commander';
import type { Revocation } from '../../grants/grant-keys.js';
import type { GrantKind } from '../../protocol/grants.js';
import { UsageError } from '../failure.js';
import { line, type Output } from '../output.js';

interface GrantKeyOptions {
  readonly signingKey: string;
  readonly keySet: string;
  readonly for: string;
}

interface RevokeOptions {
  readonly keySet: string;
  readonly workflow?: string;
  readonly subject?: string;
  readonly grant?: string;
}

const GRANTS: ReadonlyMap<string, readonly GrantKind[]> = new Map([
  ['workspaces', ['workspace']],
  ['operators', ['operator']],
  ['both', ['workspace', 'operator']],
]);

export function addGrantKeys(program: Command, output: Output): void {
  program
    .command('grant-key')
    .summary('make a key that signs grants')
    .description(
      'Makes a key that signs grants. Its private half goes into a new file, for whoever starts workflows ' +
        '(PROVIDER_GRANT_SIGNING_KEY); its public half is added to the key set that workers read (PROVIDER_GRANT_KEYS).',
    )
    .requiredOption('--signing-key <file>', 'where the private key goes; must not be there yet')
    .requiredOption('--key-set <file>', 'the public keys; made where there are none')
    .option('--for <whom>', 'whose grants it may sign: workspaces, operators or both', 'workspaces')
    .action(async ({ signingKey, keySet, for: whom }: GrantKeyOptions) => {
      const grants = GRANTS.get(whom);
      if (!grants) throw new UsageError('--for is one of workspaces, operators and both');
      const { writeGrantKey } = await import('../../grants/key-files.js');
      const { kid } = await writeGrantKey(signingKey, keySet, grants);
      output.result({ kid, grants }, [
        line('ok', 'made', [`key ${kid}`, `signs grants of ${grants.map((kind) => `${kind}s`).join(' and ')}`]),
      ]);
    });

  program
    .command('revoke-grants')
    .summary('make workers refuse grants that were signed')
    .description(
      'Adds a revocation to the key set that workers read: of a workflow with all that stands under its id, of all that ' +
        'was signed for a workspace or an operator until now, or of one grant. Workers know within ten seconds, of a file ' +
        'or an address alike; what was started anew since then is served.',
    )
    .requiredOption('--key-set <file>', 'the public keys')
    .option('--workflow <id>', 'what was signed until now for this workflow')
    .option('--subject <name>', 'what was signed until now for this workspace or operator')
    .option('--grant <id>', 'the grant of this id')
    .action(async (options: RevokeOptions) => {
      const { revokeGrants } = await import('../../grants/key-files.js');
      const revocation = revocationOf(options);
      await revokeGrants(options.keySet, revocation);
      const [what, until] = Object.values(revocation);
      output.result({ revoked: revocation }, [line('ok', 'revoked', [what, until && `until ${until}`])]);
    });
}

function revocationOf({ workflow, subject, grant }: RevokeOptions): Revocation {
  const issuedBefore = new Date().toISOString();
  const asked = [
    ...(workflow === undefined ? [] : [{ workflowId: workflow, issuedBefore }]),
    ...(subject === undefined ? [] : [{ subject, issuedBefore }]),
    ...(grant === undefined ? [] : [{ grantId: grant }]),
  ];
  const [revocation, another] = asked;
  if (!revocation || another) throw new UsageError('say one of --workflow, --subject and --grant');
  return revocation;
}
