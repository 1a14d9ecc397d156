/** Runs the leak test: `npm run test:leaks`. */
import { runCompiled } from '../../testbed/run-compiled.js';

await runCompiled({
  name: 'leaks',
  folders: [
    'test/leaks',
    'test/leaks/parts',
    'test/integration',
    'test/support',
    'testbed',
    'testbed/standins',
    'examples/address-agent',
  ],
  main: 'test/leaks/main',
  run: ({ runLeaks }, folder) => runLeaks(folder),
});
