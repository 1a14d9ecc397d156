// Builds dist/: CommonJS compiled file by file, with `jose` written into it, and the bundles of the workflows for
// production workers. Two builds of the same sources are the same byte for byte.
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
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
// The package's own sources, tests and scripts are ES modules.
writeFileSync(join(dist, 'package.json'), '{ "type": "commonjs" }\n');
await writeJose();
await writeWorkflowBundles();

async function writeJose() {
  const bundle = await rolldown({ input: join(root, 'src/vendor/jose.ts'), platform: 'node' });
  await bundle.write({ file: join(dist, 'vendor/jose.js'), format: 'cjs', sourcemap: false });
  rmSync(join(dist, 'vendor/jose.js.map'));
}

async function writeWorkflowBundles() {
  const { ENCODING_WORKFLOW_BUNDLE_PATH, GRANT_INTERCEPTORS_PATH, WORKFLOW_BUNDLE_PATH, WORKFLOWS_PATH } = require(
    join(dist, 'plugin/workflow-source.js'),
  );
  const { FAILURE_CONVERTER_PATH } = require(join(dist, 'codec/data-converter.js'));
  const options = {
    workflowsPath: WORKFLOWS_PATH,
    workflowInterceptorModules: [GRANT_INTERCEPTORS_PATH],
    logger: new DefaultLogger('WARN'),
    webpackConfigHook: withoutMachine,
  };
  for (const [path, failureConverterPath] of [
    [WORKFLOW_BUNDLE_PATH, undefined],
    [ENCODING_WORKFLOW_BUNDLE_PATH, FAILURE_CONVERTER_PATH],
  ]) {
    const { code } = await bundleWorkflowCode({ ...options, failureConverterPath });
    writeFileSync(path, code);
  }
}

/** The SDK needs a source map in a bundle. This one has relative paths and no sources, which the package has anyway. */
function withoutMachine(config) {
  return {
    ...config,
    context: root,
    devtool: 'inline-nosources-source-map',
    output: { ...config.output, devtoolModuleFilenameTemplate: '[resource-path]' },
  };
}
