/** Starts a fault run, whose processes are killed and restarted again and again: `npm run test:faults`. */
import { runCompiled } from '../../testbed/run-compiled.js';

await runCompiled({
  name: 'faults',
  folders: ['test/faults', 'test/faults/parts', 'test/support', 'testbed', 'testbed/standins'],
  main: 'test/faults/main',
  run: ({ runFaults }, folder) => runFaults(folder, process.env),
});
