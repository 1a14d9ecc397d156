/** Runs the leak test: `npm run test:leaks`. */
import { runCompiled } from '../support/compiled-run.js';

await runCompiled({
  name: 'leaks',
  folders: ['test/leaks', 'test/leaks/parts', 'test/integration', 'test/support'],
  main: 'test/leaks/main',
  run: ({ runLeaks }, folder) => runLeaks(folder),
});
