/** The version of this package that runs. */
import { createRequire } from 'node:module';

export const { version: BUILD } = createRequire(import.meta.url)('../../package.json') as { readonly version: string };
