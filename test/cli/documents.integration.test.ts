/** The documents say what the programs do. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { EXIT, exitCodeOf } from '../../src/cli/exit-codes.js';
import { SETTINGS } from '../../src/config/settings-table.js';
import { ProviderError } from '../../src/protocol/errors.js';
import { providerTypes } from '../../src/providers/registry.js';
import { runCli } from './run-cli.js';

const read = (document: string) =>
  readFileSync(fileURLToPath(new URL(`../../docs/${document}`, import.meta.url)), 'utf8');

const help = async (...command: string[]) => (await runCli([...command, '--help'])).stdout;

describe('docs/cli.md', () => {
  const document = read('cli.md');

  it('has the help of the program and of every command, word for word', async () => {
    const general = await help();
    const commands = [...(/Commands:\n((?: .*\n)*)/.exec(general)?.[1] ?? '').matchAll(/^ {2}([a-z-]+)/gm)].map(
      ([, command = '']) => command,
    );
    expect(commands).toEqual(expect.arrayContaining(['configure', 'rollback', 'dev']));
    const helps = await Promise.all(commands.map((command) => help(command)));
    for (const text of [general, ...helps]) expect(document).toContain(`\`\`\`text\n${text}\`\`\``);
  });

  it('has every exit code, with the failures that end with it', () => {
    for (const code of Object.values(EXIT)) expect(document).toMatch(new RegExp(`^\\| ${code} \\| .*$`, 'm'));
    for (const type of [
      'ProviderConfigInvalid',
      'ProviderNotConfigured',
      'CredentialUnreadable',
      'StoreUnavailable',
    ] as const) {
      const code = exitCodeOf(new ProviderError(type, ''));
      expect(document).toMatch(new RegExp(`^\\| ${code} \\| .*\`${type}\``, 'm'));
    }
  });
});

describe('the help of configure', () => {
  it('has every type with the field that a bare secret fills', async () => {
    const text = await help('configure');
    for (const { type, primarySecret } of Object.values(providerTypes)) {
      expect(text).toMatch(new RegExp(`^ {2}${type} [^]*?secret: ${primarySecret}\\b`, 'm'));
    }
  });
});

describe('docs/configuration.md', () => {
  it('has every setting', () => {
    const document = read('configuration.md');
    const settings = [...Object.keys(SETTINGS), 'TEMPORAL_ADDRESS', 'TEMPORAL_NAMESPACE'];
    for (const name of settings) expect(document).toMatch(new RegExp(`^\\| \`${name}\``, 'm'));
  });

  it('has no setting that is none', () => {
    const named = [...read('configuration.md').matchAll(/`(PROVIDER_[A-Z_]+)/g)]
      .map(([, name]) => name)
      .filter((name) => name !== 'PROVIDER_');
    expect([...new Set(named)].sort()).toEqual([...Object.keys(SETTINGS)].sort());
  });
});
