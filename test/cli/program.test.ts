import { describe, expect, it } from 'vitest';
import { createProgram } from '../../src/cli/program.js';
import { Output } from '../../src/cli/terminal/output.js';
import { ProviderTypes } from '../../src/providers/provider-types.js';

/** What `workspace-providers <name> --help` prints. */
function helpOf(name: string): string {
  let text = '';
  const command = createProgram(new Output(false)).commands.find((each) => each.name() === name);
  command?.configureOutput({ writeOut: (written) => (text += written) }).outputHelp();
  return text;
}

describe('the help of configure', () => {
  it.each(ProviderTypes.builtIn.names.map((name) => ProviderTypes.builtIn.get(name)))(
    'lists the fields of $type, starting with the one that a plain-text secret fills',
    ({ type, primarySecret }) => {
      expect(helpOf('configure')).toMatch(new RegExp(`^ {2}${type} [\\s\\S]*?secret: ${primarySecret}\\b`, 'm'));
    },
  );
});

describe('the help of a command', () => {
  const { commands } = createProgram(new Output(false));

  it.each(commands.map((command) => [command.name(), command] as const))('describes %s', (name, command) => {
    expect(command.summary()).not.toBe('');
    expect(command.description()).not.toBe('');
    expect(helpOf(name)).toContain(`Usage: workspace-providers ${name}`);
  });
});
