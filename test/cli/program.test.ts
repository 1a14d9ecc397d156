import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createProgram } from '../../src/cli/program.js';
import { Output } from '../../src/cli/terminal/output.js';
import { setVariable } from '../../src/config/process-hardening.js';
import { defineProviderType } from '../../src/providers/define-type.js';
import { secretKey } from '../../src/providers/fields.js';
import { ProviderTypes } from '../../src/providers/provider-types.js';

const HOST = 'https://api.weather.example';

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

describe('the help of configure, if PROVIDER_TYPES is set,', () => {
  async function helpWith(module: string): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'help-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const path = join(folder, 'types.cjs');
    await writeFile(path, module);
    setVariable('PROVIDER_TYPES', path);
    onTestFinished(() => setVariable('PROVIDER_TYPES', ''));
    return helpOf('configure');
  }

  it('lists the fields of those types too', async () => {
    const weather = defineProviderType({ type: 'weather', secret: { token: secretKey }, destination: () => HOST });
    Object.assign(globalThis, { weather });
    const help = await helpWith('exports.weather = globalThis.weather;');
    expect(help).toMatch(/^ {2}weather [\s\S]*?secret: token\b/m);
    expect(help).toContain('The types of PROVIDER_TYPES are among these.');
  });

  it('says why they are missing if they cannot be read', async () => {
    const help = await helpWith('throw new RangeError();');
    expect(help).toMatch(/^ {2}llm /m);
    expect(help).toMatch(/Types of your own are missing here: .*PROVIDER_TYPES.* it threw RangeError/s);
  });
});

describe('the help of a command', () => {
  const { commands } = createProgram(new Output(false));

  it.each(commands.map((command) => [command.name(), command] as const))('describes %s', (name, command) => {
    expect(command.summary()).not.toBe('');
    expect(command.description()).not.toBe('');
    expect(helpOf(name)).toContain(`Usage: workspace-providers ${name}`);
  });
});
