/**
 * Gives Temporal's packages one copy of protobufjs, as an installation with version 8 at its top has it. If another
 * package has an older one there, npm installs a copy per package, and the SDK's external storage fails. Load it before the
 * SDK; loaded again, it changes nothing.
 */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';

interface Loader {
  _resolveFilename(request: string, parent?: { readonly filename?: string | null }, ...rest: unknown[]): string;
  _nodeModulePaths(from: string): string[];
}

const requireHere = createRequire(import.meta.url);
const loader = requireHere('node:module') as Loader;
const resolve = loader._resolveFilename;
const folder = dirname(requireHere.resolve('@temporalio/proto/package.json'));
const proto = { id: folder, filename: `${folder}/index.js`, paths: loader._nodeModulePaths(folder) };

function withOneProtobufjs(
  this: Loader,
  ...[request, parent, ...rest]: Parameters<Loader['_resolveFilename']>
): string {
  const isTemporals = request.startsWith('protobufjs') && parent?.filename?.includes('@temporalio');
  return resolve.call(this, request, isTemporals ? proto : parent, ...rest);
}

if (resolve.name !== withOneProtobufjs.name) loader._resolveFilename = withOneProtobufjs;
