/**
 * Converts messages and stacks of failures to payloads, so that the codec encrypts them too. The type of a failure
 * stays plaintext, since retry policies match on it. The file is loaded by its path, in the worker and in the workflow
 * sandbox.
 */
import { DefaultFailureConverter } from '@temporalio/common';

export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
