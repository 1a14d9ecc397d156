/**
 * Messages and stacks of failures as payloads, so that the codec encrypts them too; the type of a failure stays in the
 * clear, since retry policies match on it. Loaded by its path, in the worker and in the workflow sandbox.
 */
import { DefaultFailureConverter } from '@temporalio/common';

export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
