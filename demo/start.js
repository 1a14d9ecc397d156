/** Runs the demo: `npm run demo`. */
import { runCompiled } from '../testbed/run-compiled.js';

await runCompiled({
  name: 'demo',
  folders: ['demo', 'testbed', 'testbed/standins', 'examples/address-agent'],
  main: 'demo/main',
  run: ({ runMain }) => runMain(),
});
