/**
 * The last line of `.ci/run`, `N passed, N failed`, and its exit code: from the results of each test run, the demo's
 * JSON and the audit. A test run without results and a skipped test count as failed, because CI has all that the tests
 * need.
 *
 * Usage: summary.mjs <folder of tests-1.json … and demo.txt> <number of test runs>
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder, runs] = process.argv.slice(2);
let passed = 0;
const failures = [];

for (let run = 1; run <= Number(runs); run++) {
  const file = join(folder, `tests-${run}.json`);
  if (!existsSync(file)) {
    failures.push(`test run ${run} left no results`);
    continue;
  }
  const before = passed;
  const { success, testResults } = JSON.parse(readFileSync(file, 'utf8'));
  const failuresBefore = failures.length;
  for (const { name, status, assertionResults } of testResults) {
    const failed = assertionResults.filter((test) => test.status !== 'passed');
    passed += assertionResults.length - failed.length;
    for (const test of failed) {
      const [why = ''] = test.failureMessages?.[0]?.split('\n', 1) ?? [];
      failures.push(`test run ${run}: ${test.status}: ${name}: ${test.fullName}: ${why}`);
    }
    if (status === 'failed' && failed.length === 0) failures.push(`test run ${run}: ${name} did not run`);
  }
  if (passed === before) failures.push(`test run ${run} ran no test`);
  // For example an uncaught error, which belongs to no test.
  if (!success && failures.length === failuresBefore) failures.push(`test run ${run} failed outside of a test`);
}

const demo = checkDemo(readFileSync(join(folder, 'demo.txt'), 'utf8'));
if (demo.length === 0) passed++;
else failures.push(...demo);

const audit = readFileSync(join(folder, 'audit.txt'), 'utf8').trim();
if (audit.startsWith('audited: ')) passed++;
else if (audit.startsWith('NOT AUDITED: ') && process.env.AUDIT_REQUIRED !== '1') console.log(audit);
else failures.push(`audit: ${audit || 'no output'}`);

for (const failure of failures) console.log(`FAILED ${failure}`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exit(failures.length === 0 ? 0 : 1);

/** The expectations that the demo's result does not meet. The result is the JSON at the end of its stdout. */
function checkDemo(stdout) {
  const start = stdout.search(/^\{(?![\s\S]*^\{)/m);
  let result;
  try {
    result = JSON.parse(stdout.slice(start));
  } catch {
    return ['the demo printed no JSON'];
  }
  const completed = result.workflows?.filter(({ status }) => status.toLowerCase() === 'completed').length;
  const expected = {
    'ok is true': result.ok === true,
    'four workflows completed': completed === 4 && result.workflows.length === 4,
    'a worker was killed': result.workerKilled === true,
    'no call with a wrong key': result.wrongKeyCalls === 0,
    'no secret in history': result.secretsInHistory === 0,
    'a rotation was fenced': result.rotation?.fencedMs > 0,
    'its older key was drained': result.rotation?.drained === true,
    'its older key was revoked': result.rotation?.revoked === true,
    'no stale read': result.rotation?.staleReads === 0,
    'under 60 seconds': result.seconds < 60,
  };
  return Object.entries(expected).flatMap(([what, holds]) => (holds ? [] : [`demo: expected: ${what}`]));
}
