/**
 * Temporal's external storage writes a reference with protobufjs, and fails if `@temporalio/common` and
 * `@temporalio/proto` have a copy of it each. npm installs them so if another package has an older one at the top. Each
 * large result would then fail and be repeated, so such an installation is refused when the worker is created.
 */
import { createRequire } from 'node:module';
import { ProviderError } from '../protocol/errors.js';

/** @throws ProviderError `SetupInvalid` */
export function checkExternalStorage(): void {
  const common = requireOf(require, '@temporalio/common');
  if (copyIn(common) === copyIn(requireOf(common, '@temporalio/proto'))) return;
  const advice = 'run npm install protobufjs@8, so that they share one (npm ls protobufjs shows the copies)';
  const what = 'needs one copy of protobufjs, and @temporalio/common and @temporalio/proto have one each';
  throw ProviderError.setupInvalid('dataConverter.externalStorage', `${what}: ${advice}`);
}

function requireOf(from: NodeJS.Require, name: string): NodeJS.Require {
  return createRequire(from.resolve(`${name}/package.json`));
}

/** `undefined` if it cannot be told: a package manager may hide it. */
function copyIn(from: NodeJS.Require): string | undefined {
  try {
    return from.resolve('protobufjs/light');
  } catch {
    return undefined;
  }
}
