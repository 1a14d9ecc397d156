// Compares the public API of each entry of package.json with its report in api/. `--accept` writes the reports. It
// fails if the API has changed, and if a public signature names a type that is not exported.
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';

const root = fileURLToPath(new URL('..', import.meta.url));
const packageJson = join(root, 'package.json');
const accept = process.argv.includes('--accept');
const error = { logLevel: ExtractorLogLevel.Error, addToApiReportFile: false };
const none = { logLevel: ExtractorLogLevel.None };

const { exports } = JSON.parse(readFileSync(packageJson, 'utf8'));
const entries = Object.values(exports).flatMap(({ types, require }) => types ?? require?.types ?? []);
const exported = entries.map((types) => readFileSync(join(root, types), 'utf8')).join('\n');
/** Types that users do not name. The base class of `Secret` only makes structured cloning fail. */
const NAMELESS = ['Uncloneable'];

const reports = entries.map(report);
process.exitCode = reports.every((succeeded) => succeeded) ? 0 : 1;

/** @param {string} types the entry's declarations, such as `./dist/client.d.ts` */
function report(types) {
  const name = types.replace(/^.*\/([\w-]+)\.d\.ts$/, '$1');
  const config = ExtractorConfig.prepare({
    packageJsonFullPath: packageJson,
    configObjectFullPath: undefined,
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: join(root, types),
      compiler: { tsconfigFilePath: join(root, 'tsconfig.build.json') },
      apiReport: {
        enabled: true,
        reportFolder: join(root, 'api'),
        reportTempFolder: mkdtempSync(join(tmpdir(), 'api-')),
        reportFileName: name,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      messages: {
        compilerMessageReporting: { default: error },
        extractorMessageReporting: { default: none, 'ae-forgotten-export': error },
        tsdocMessageReporting: { default: none },
      },
    },
  });
  const { succeeded, apiReportChanged } = Extractor.invoke(config, { localBuild: accept, messageCallback: sortOut });
  if (apiReportChanged && !accept) {
    process.stderr.write(`api/${name}.api.md: the public API has changed. To accept that: npm run api -- --accept\n`);
  }
  return succeeded;
}

/** @param {import('@microsoft/api-extractor').ExtractorMessage} message */
function sortOut(message) {
  const { category, logLevel, messageId, text } = message;
  if (category === 'console') message.handled = logLevel !== ExtractorLogLevel.Error;
  // A type may be exported by another entry: `/client` takes a `ProviderClient`, which `/management` exports.
  const [, symbol] = (messageId === 'ae-forgotten-export' && /symbol "(\w+)"/.exec(text)) || [];
  if (symbol && (NAMELESS.includes(symbol) || new RegExp(`\\b${symbol}\\b`).test(exported)))
    message.logLevel = ExtractorLogLevel.None;
}
