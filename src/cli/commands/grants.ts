import type { Command } from 'commander';
import type { Revocation } from '../../grants/grant-keys.js';
import type { GrantKind } from '../../protocol/grants.js';
import { UsageError } from '../failure.js';
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
}

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
      const { kid } = await writeGrantKey(signingKey, keySet, grants);
      output.result({ kid, grants }, [
        line('ok', 'created', [`key ${kid}`, `signs grants of ${grants.map((kind) => `${kind}s`).join(' and ')}`]),
      ]);
    });

  commands
    .command('revoke')
    .summary('revoke grants that were signed')
    .description(
      'Revokes grants, by an entry in the key set that workers read: the grants of a workflow and of everything ' +
        'under its id, all grants that were signed until now for a workspace or an operator, or one grant. Workers ' +
        'read a file or an address again within ten seconds. Workflows that start after the revocation are served.',
    )
    .requiredOption('--key-set <file>', 'the file of the public keys')
    .option('--workflow <id>', 'revoke all grants that were signed until now for this workflow')
    .option('--subject <name>', 'revoke all grants that were signed until now for this workspace or operator')
    .option('--grant <id>', 'revoke the grant with this id')
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
  if (!revocation || another) throw new UsageError('give exactly one of --workflow, --subject and --grant');
  return revocation;
}
