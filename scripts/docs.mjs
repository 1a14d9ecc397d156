// Writes the parts of the pages under docs/ that come from the code: help texts, settings, failures, exit codes, rooms,
// files of examples.
// A page marks each part with `<!-- generated: name -->` and `<!-- /generated -->`. The schemas of the activities are a
// file of their own. With `--check` it writes nothing, and fails if a page is out of date. It reads dist/, so build first.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { EXIT_CODES } from '../dist/cli/exit-codes.js';
import { createProgram } from '../dist/cli/program.js';
import { Output } from '../dist/cli/terminal/output.js';
import { SETTINGS } from '../dist/config/settings-table.js';
import { FAILURE_TYPES } from '../dist/protocol/failure-types.js';
import { MEANINGS } from '../dist/providers/answers/meanings.js';
import { ANY_MODEL_SERVICE, FIREWALLS, TENDERLY } from '../dist/providers/answers/rules/any-service.js';
import { CLOUDS, COMPATIBLE, GATEWAYS } from '../dist/providers/answers/rules/compatible-services.js';
import { JSON_RPC } from '../dist/providers/answers/rules/json-rpc.js';
import { ANTHROPIC, GEMINI, OPENAI } from '../dist/providers/answers/rules/language-models.js';
import { ROOMS } from '../layers.mjs';
import { activitySchemas } from './activity-schemas.mjs';

const check = process.argv.includes('--check');
const docs = new URL('../docs/', import.meta.url);

/** @type {Record<string, (argument: string) => string>} */
const PARTS = {
  example: (file) => {
    const [name, module] = file.split(' ');
    return `\`\`\`ts\n${readFileSync(new URL(`../examples/${name}/${module}.ts`, docs), 'utf8')}\`\`\``;
  },
  help: (command) => `\`\`\`text\n${helpOf(command.split(' ').filter(Boolean))}\`\`\``,
  settings: () =>
    table(
      ['setting', 'default', 'from … to', 'read by', 'meaning'],
      Object.entries(SETTINGS).map(([name, setting]) => [
        `\`${name}\``,
        setting.defaultText ?? `\`${setting.default}\``,
        setting.min === undefined ? '' : `\`${setting.min}\` … \`${setting.max}\``,
        setting.readBy.join(', '),
        `${setting.meaning}${setting.option === undefined ? '' : `; option \`${setting.option}\``}`,
      ]),
    ),
  failures: () =>
    table(
      ['type', 'retried', 'HTTP', 'exit code', 'meaning', 'what to do'],
      Object.entries(FAILURE_TYPES).map(([type, { retryable, httpStatus, exitCode, meaning, action }]) => [
        `\`${type}\``,
        retryable ? 'yes' : 'no',
        `${httpStatus}`,
        `${exitCode}`,
        meaning,
        action,
      ]),
    ),
  'exit codes': () =>
    table(
      ['code', 'meaning', 'failure types'],
      Object.entries(EXIT_CODES).map(([code, meaning]) => [
        code,
        meaning,
        Object.entries(FAILURE_TYPES)
          .filter(([, { exitCode }]) => exitCode === Number(code))
          .map(([type]) => `\`${type}\``)
          .join(', '),
      ]),
    ),
  meanings: () =>
    table(
      ['meaning', 'failure', 'message'],
      Object.entries(MEANINGS).map(([meaning, { type, text }]) => [meaning, `\`${type}\``, text]),
    ),
  'model answers': () => answers([...ANTHROPIC, ...OPENAI, ...GEMINI, ...GATEWAYS, ...COMPATIBLE, ...CLOUDS]),
  'any answers': () => answers([...FIREWALLS, ...ANY_MODEL_SERVICE]),
  'tenderly answers': () => answers(TENDERLY),
  'rpc answers': () => answers(JSON_RPC),
  rooms: () =>
    table(
      ['folder', 'what it has', 'may import'],
      ROOMS.map(({ room, has, imports, temporal }) => [
        `\`src/${room}\``,
        has,
        [...imports, ...(temporal ? ["Temporal's packages"] : [])].join(', ') || 'nothing',
      ]),
    ),
};

const stale = readdirSync(docs, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md'))
  .filter((name) => !update(new URL(name, docs)));
if (!write(new URL('activities.schema.json', docs), activitySchemas())) stale.push('activities.schema.json');
for (const name of stale) process.stderr.write(`docs/${name} is out of date: npm run docs\n`);
process.exitCode = stale.length > 0 ? 1 : 0;

/** Updates a page. Returns whether it is up to date now. @param {URL} page */
function update(page) {
  const text = readFileSync(page, 'utf8');
  const written = text.replace(
    /<!-- generated: ([a-z ]+?)(?: \(([a-z -]+)\))? -->\n[\s\S]*?<!-- \/generated -->/g,
    (whole, name, argument = '') => {
      const part = PARTS[name];
      if (!part) throw new Error(`${page.pathname}: there is no generated part with the name ${name}`);
      return `${whole.slice(0, whole.indexOf('\n'))}\n${part(argument)}\n<!-- /generated -->`;
    },
  );
  return write(page, written);
}

/** Returns whether the file is up to date now. @param {URL} file @param {string} text */
function write(file, text) {
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return true;
  if (!check) writeFileSync(file, text);
  return !check;
}

/** @param {readonly string[]} path the names of the command and its parents */
function helpOf(path) {
  let text = '';
  /** @type {import('commander').Command} */
  let command = createProgram(new Output(false));
  for (const name of path) {
    const found = command.commands.find((each) => each.name() === name);
    if (!found) throw new Error(`there is no command ${path.join(' ')}`);
    command = found;
  }
  command.configureHelp({ showGlobalOptions: false, helpWidth: 80 });
  command.configureOutput({ writeOut: (written) => (text += written) });
  command.outputHelp();
  return text;
}

/** @param {readonly import('../dist/providers/answers/rule.js').ServiceRules[]} services */
function answers(services) {
  const rows = services.flatMap(({ service, source, rules }) =>
    rules.map((rule, index) => [index === 0 ? `[${service}](${source})` : '', ...signs(rule), rule.means]),
  );
  return table(['service', 'status', 'code', 'words', 'means'], rows);
}

/** Long words are named, and not printed. @param {import('../dist/providers/answers/rule.js').Rule} rule */
function signs({ status = [], codes = [], words, data, header }) {
  const shown = (/** @type {RegExp} */ { source }) =>
    source.length > 160 ? 'words of this meaning' : `\`${source.replaceAll('|', '\\|')}\``;
  const code = [...codes.map((each) => `\`${each}\``), ...(header ? [`header \`${header[0]}\``] : [])];
  return [status.join(', '), code.join(', '), [words, data].flatMap((each) => (each ? shown(each) : [])).join('; ')];
}

/** @param {readonly string[]} head @param {readonly (readonly string[])[]} rows */
function table(head, rows) {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
