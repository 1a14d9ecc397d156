/** The workflows that this package's own worker runs. */
export { invalidateWorkers } from './rotation/invalidate-workers.js';
export { rotateProvider } from './rotation/rotate-provider.js';
export { checkProviders } from './schedules/check-providers.js';
export { rotateDueProviders } from './schedules/rotate-due-providers.js';
