import type { Command } from 'commander';
import { readAdminDatabaseUrl } from '../../config/manager-config.js';
import { takeEnvironment } from '../../config/process-hardening.js';
import { Settings } from '../../config/settings.js';
import type { SetUp } from '../setup/set-up.js';
import { line, type Output } from '../terminal/output.js';

interface InitOptions {
  readonly folder: string;
  readonly loginPrefix?: string;
  readonly print?: true;
}

const DEFAULT_FOLDER = '.workspace-providers';

const AFTER_HELP = `
It writes worker.env (for workers), starter.env (for services that start
workflows) and manager.env (for this command line), readable only by you, and
never over a file that exists. Run again, it completes what is missing, changes
nothing else, and reports what exists. If ENCRYPTION_KEY is set, it is the root
key; otherwise a new one is made. Back up the root key: without it, no
credential can be opened.

Examples:
  $ PROVIDER_ADMIN_DATABASE_URL=postgres://… workspace-providers init
  $ workspace-providers --env-file .workspace-providers/manager.env list ws_acme
  $ node --env-file=.workspace-providers/worker.env worker.js`;

export function addInit(program: Command, output: Output): void {
  program
    .command('init')
    .summary('set up a database: schema, logins, root key, keys of grants')
    .description(
      "Sets up the database of PROVIDER_ADMIN_DATABASE_URL (or DATABASE_URL): migrates it to this version's schema, " +
        'creates a login for workers and one for managers, and makes the root key and the keys of grants. The login ' +
        'must own the database and be allowed to create roles; it need not be a superuser.',
    )
    .option('--folder <path>', 'the folder of the files', DEFAULT_FOLDER)
    .option('--login-prefix <text>', 'what the names of the logins begin with (default: the name of the database)')
    .option('--print', 'write no file: print the settings, for a place where secrets are kept')
    .addHelpText('after', AFTER_HELP)
    .action(async ({ folder, loginPrefix, print }: InitOptions) => {
      const settings = new Settings(takeEnvironment());
      const options = {
        adminUrl: readAdminDatabaseUrl(settings),
        loginPrefix,
        rootKeys: settings.text('ENCRYPTION_KEY'),
      };
      const { setUp } = await import('../setup/set-up.js');
      const { SetupFolder } = await import('../setup/setup-files.js');
      if (print) {
        const { PrintedSetup } = await import('../setup/printed-setup.js');
        const destination = new PrintedSetup(output);
        const done = await setUp(options, destination);
        for (const text of report(done)) output.note(text);
        return;
      }
      const destination = new SetupFolder(folder);
      const done = await setUp(options, destination);
      const files = (['worker', 'starter', 'manager'] as const).map((part) => ({
        path: destination.pathOf(part),
        written: done.written.includes(part),
      }));
      const exposed = await destination.exposed();
      output.result({ applied: done.applied, logins: done.logins, files, exposed }, [
        ...report(done),
        ...files.map(({ path, written }) => line('ok', written ? 'written' : 'exists', [path])),
        ...exposed.map((path) => line('unsure', 'exposed', [path, 'other users can read it: chmod 600'])),
      ]);
    });
}

function report({ applied, logins }: SetUp): string[] {
  return [
    line('ok', applied.length > 0 ? 'migrated' : 'up to date', [
      applied.length > 0 ? `${applied.length} migrations applied` : 'no migration to apply',
    ]),
    ...logins.map(({ login, role, created }) => line('ok', created ? 'created' : 'exists', [`login ${login}`, role])),
  ];
}
