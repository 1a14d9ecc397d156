/**
 * Draws the pictures of `docs/telemetry.md` from the files that the demo has written:
 *
 *     npm run demo -- --telemetry
 *     node pictures/telemetry.js <the folder that it printed>
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dashboardPicture } from './dashboard.js';
import { tracePicture } from './trace.js';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('expected the folder that `npm run demo -- --telemetry` printed');

const read = (file) => readFileSync(join(folder, file), 'utf8');
const save = (file, svg) => writeFileSync(new URL(`../docs/pictures/${file}`, import.meta.url), svg);

const pages = readdirSync(folder).flatMap((file) => {
  const [, worker] = /^metrics-(.+)\.prom$/.exec(file) ?? [];
  return worker ? [[worker, read(file)]] : [];
});
save('trace.svg', tracePicture(read('spans.jsonl')));
save('dashboard.svg', dashboardPicture(Object.fromEntries(pages)));
