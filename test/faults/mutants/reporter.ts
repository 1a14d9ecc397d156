/** The reporter of `npm run test:mutants`: prints a line per test, and JSON as the last line. */
import type { Reporter, SerializedError, TestCase, TestModule } from 'vitest/node';

const MUTANT = 'mutant: ';

// biome-ignore lint/style/noDefaultExport: vitest loads the default export
export default class MutantReporter implements Reporter {
  onTestCaseResult(test: TestCase): void {
    const { state, errors = [] } = test.result();
    const { seen = '' } = test.meta();
    const words = test.name.startsWith(MUTANT) ? ['killed', 'SURVIVED'] : ['holds', 'BROKEN'];
    const name = test.name.replace(MUTANT, '');
    console.log(`${(words[state === 'passed' ? 0 : 1] ?? '').padEnd(9)} ${name.padEnd(48)} ${seen}`);
    for (const error of errors) console.error(error.stack ?? error.message);
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    for (const error of [...unhandled, ...modules.flatMap((module) => module.errors())]) console.error(error.stack);
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const mutants = tests.filter(({ name }) => name.startsWith(MUTANT));
    const survivors = mutants.filter((test) => !test.ok() || test.result().state !== 'passed');
    const controls = tests.filter((test) => !mutants.includes(test));
    const holds = controls.length > 0 && controls.every((test) => test.result().state === 'passed');
    console.log(
      JSON.stringify({
        mutants: mutants.length,
        killed: mutants.length - survivors.length,
        survived: survivors.map(({ name }) => name.replace(MUTANT, '')),
        protocol: holds ? 'holds' : 'broken',
      }),
    );
  }
}
