/** Temporal's protobuf types, in the version that the installed SDK uses. */
import { createRequire } from 'node:module';
import type proto from '@temporalio/proto';

/** `@temporalio/proto` is a dependency of `@temporalio/common`: a strict package manager lets only that one load it. */
export function loadProto(): typeof proto {
  loaded ??= createRequire(require.resolve('@temporalio/common'))('@temporalio/proto') as typeof proto;
  return loaded;
}

/** Kept, because it is asked for with every payload. */
let loaded: typeof proto | undefined;
