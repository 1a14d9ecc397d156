/** The workflows that this package's own worker runs. */
export { type AddressAnswer, type AddressQuestion, addressAgent } from './address-agent.js';
