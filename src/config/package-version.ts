/** The version of this package that runs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const manifest = readFileSync(join(__dirname, '../../package.json'), 'utf8');

export const { version: BUILD } = JSON.parse(manifest) as { readonly version: string };
