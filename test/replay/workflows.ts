/** The workflows whose histories are recorded: the package's own, and the example agent. */
export { type AddressAnswer, type AddressQuestion, addressAgent } from '../../examples/address-agent/workflows.js';
export * from '../../src/workflows/index.js';
