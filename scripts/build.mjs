// Builds dist/: CommonJS compiled file by file, with `jose` written into it, and the bundles of the workflows for
// production workers. Two builds of the same sources are the same byte for byte.
import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { rolldown } from 'rolldown';

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');

rmSync(dist, { recursive: true, force: true });
const tsc = spawnSync(
  process.execPath,
  [require.resolve('typescript/bin/tsc'), '-p', join(root, 'tsconfig.build.json')],
  {
    stdio: 'inherit',
  },
);
if (tsc.status !== 0) process.exit(tsc.status ?? 1);
// Without it, Node would take dist/ for ES modules, which package.json declares for the scripts and tests.
writeFileSync(join(dist, 'package.json'), '{ "type": "commonjs" }\n');
writeModuleForLangchain();
await writeJose();
await writeWorkflowBundles();

/**
 * LangChain has one set of classes for ES modules and another for CommonJS, whose types do not fit each other. So its
 * entry has declarations for both. There is one copy of the code.
 */
function writeModuleForLangchain() {
  const classes = 'integrations/workspace-chat-models';
  const entry = readFileSync(join(dist, 'langchain.d.ts'), 'utf8').replace(/\n\/\/# .*/, '');
  writeFileSync(join(dist, 'langchain.mjs'), "export * from './langchain.js';\n");
  writeFileSync(join(dist, 'langchain.d.mts'), entry.replace(`./${classes}.js`, `./${classes}.mjs`));
  copyFileSync(join(dist, `${classes}.d.ts`), join(dist, `${classes}.d.mts`));
}

/** Its licence asks that the notice stays in every copy. */
async function writeJose() {
  const licence = readFileSync(join(root, 'node_modules/jose/LICENSE.md'), 'utf8').trim();
  const bundle = await rolldown({ input: join(root, 'src/vendor/jose.ts'), platform: 'node' });
  await bundle.write({
    file: join(dist, 'vendor/jose.js'),
    format: 'cjs',
    sourcemap: false,
    banner: `/*!\n${licence}\n*/`,
  });
  rmSync(join(dist, 'vendor/jose.js.map'));
}

/** `src/plugin/workflow-source.ts` finds the bundles by these names. */
async function writeWorkflowBundles() {
  const { WorkflowPlugin } = require(join(dist, 'plugin/workflow-plugin.js'));
  for (const [name, failureConverterPath] of [
    ['workflow-bundle.js', undefined],
    ['workflow-bundle-encoding.js', join(dist, 'codec/failure-converter.js')],
  ]) {
    const { code } = await bundleWorkflowCode({
      workflowsPath: join(dist, 'workflows/index.js'),
      plugins: [new WorkflowPlugin()],
      failureConverterPath,
      logger: new DefaultLogger('WARN'),
      webpackConfigHook: withoutMachine,
    });
    writeFileSync(join(dist, 'workflows', name), code);
  }
}

/** The SDK needs a source map in a bundle. This one has relative paths and no sources, which the package has anyway. */
function withoutMachine(config) {
  return {
    ...config,
    context: root,
    devtool: 'inline-nosources-source-map',
    output: {
      ...config.output,
      devtoolModuleFilenameTemplate: ({ resourcePath }) => resourcePath.replaceAll(root, './'),
    },
  };
}
