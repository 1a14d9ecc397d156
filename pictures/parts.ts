/** What `take.js` takes pictures of. */
export { runDemo } from '../demo/run.js';
export { demoStage } from '../demo/stage.js';
export { setUp } from '../testbed/teardown.js';
