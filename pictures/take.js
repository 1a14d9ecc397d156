/**
 * Takes the pictures of `docs/rotation.md`: the demo's rotation, with one worker stopped, as the Temporal UI shows it
 * while the fence waits and when all is over. It needs a build and Chromium (Debian's `chromium`, or `CHROMIUM=path`):
 *
 *     npm run build && npm --prefix pictures ci && node pictures/take.js
 */
import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { runCompiled } from '../testbed/run-compiled.js';

const ROTATION = `/namespaces/default/workflows/${encodeURIComponent('rotate/ws_acme/llm/anthropic')}`;
/** Long enough to take a picture while a fence waits for it. */
const LEASE = '15s';
/** A page of the documentation is not to weigh more. */
const MAX_BYTES = 200_000;
const PATIENCE_MS = 30_000;

const say = (line) => void process.stderr.write(`${line}\n`);

await runCompiled({
  name: 'pictures',
  folders: ['pictures', 'demo', 'testbed', 'testbed/standins', 'examples/address-agent'],
  main: 'pictures/parts',
  run: takePictures,
});

async function takePictures({ setUp, demoStage, runDemo }) {
  const stage = await setUp((teardown) => demoStage(teardown, { live: false, lease: LEASE, tell: say }));
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    // Chromium's sandbox refuses root, and nothing but our own UI is opened.
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
  try {
    const page = await browser.newPage({ viewport: { width: 1400, height: 1600 } });
    page.setDefaultTimeout(PATIENCE_MS);
    const open = (tab) => openTab(page, stage.temporalUiUrl, tab);
    let whileFencing;
    const { rotation } = await runDemo(stage, {
      line: (line) => {
        say(line);
        if (line.includes('fencing')) whileFencing = pictureOfDetails(page, open, 'fence-waits');
      },
      step: () => {},
    });
    if (!whileFencing) throw new Error('the demo has not said that it waits for the fence');
    await whileFencing;
    if (!rotation?.revoked) throw new Error('the rotation did not come to its end: these are not pictures of one');
    await pictureOfTimeline(page, open, 'timeline');
    await pictureOfFanOut(page, open, 'fan-out');
    await pictureOfDetails(page, open, 'details');
    return 0;
  } finally {
    await browser.close();
    await stage.tearDown();
  }
}

/** The current details of the rotation: its stages, and the table of workers. */
async function pictureOfDetails(page, open, name) {
  await open('user-metadata');
  // The UI keeps Markdown in frames of its own.
  while (!(await isShown(page, 'agents-2'))) await page.waitForTimeout(100);
  await save(page, name, { x: 270, y: 60, width: 1130, height: 760 });
}

/** Every activity with its summary, the newest first. */
async function pictureOfTimeline(page, open, name) {
  await open('timeline');
  await page.getByText('endRotation').first().waitFor();
  await save(page, name, await fromTimeline(page, 610));
}

/** One of the questions that went to each worker, with the task queue that it went to. */
async function pictureOfFanOut(page, open, name) {
  await open('timeline');
  await page.getByText('invalidate · operations').first().click();
  await save(page, name, await fromTimeline(page, 810));
}

async function fromTimeline(page, height) {
  const { y } = await page.getByRole('heading', { name: 'Timeline' }).first().boundingBox();
  return { x: 270, y: y - 10, width: 1130, height };
}

async function isShown(page, text) {
  const counts = await Promise.all(
    page.frames().map((frame) =>
      frame
        .getByText(text)
        .count()
        .catch(() => 0),
    ),
  );
  return counts.some((count) => count > 0);
}

async function openTab(page, uiUrl, tab) {
  const url = page.url();
  if (!url.includes('rotate%2F')) {
    await page.goto(`${uiUrl}${ROTATION}`);
    await page.waitForURL('**/timeline');
  }
  await page.goto(page.url().replace(/[^/]+$/, tab));
}

async function save(page, name, clip) {
  // Fonts and the chart settle after the text is there.
  await page.waitForTimeout(1_500);
  const path = fileURLToPath(new URL(`../docs/pictures/${name}.png`, import.meta.url));
  await page.screenshot({ path, clip });
  const { size } = await stat(path);
  if (size > MAX_BYTES) throw new Error(`${name}.png weighs ${size} bytes`);
  say(`  docs/pictures/${name}.png, ${size} bytes`);
}
