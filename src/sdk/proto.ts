/** Temporal's protobuf types, in the version that the installed SDK uses, without a dependency of our own on them. */
import { createRequire } from 'node:module';

/** A dependency of `@temporalio/common`: with a strict package manager, only that package can load it. */
export function loadProto(): typeof import('@temporalio/proto') {
  return createRequire(require.resolve('@temporalio/common'))('@temporalio/proto');
}
