/** The workflows that this package's own worker runs. */
export { type AddressAnswer, type AddressQuestion, addressAgent } from './address-agent.js';
export { drainWorkers } from './drain.js';
export { invalidateWorkers } from './fence.js';
export { rotateProvider } from './rotate-provider.js';
