/** The workflows that this package's own worker runs. */
export { type AddressAnswer, type AddressQuestion, addressAgent } from './address-agent.js';
export { checkProviders } from './check-providers.js';
export { drainWorkers } from './drain.js';
export { invalidateWorkers } from './fence.js';
export { rotateDueProviders } from './rotate-due-providers.js';
export { rotateProvider } from './rotate-provider.js';
