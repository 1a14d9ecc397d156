/** The workflows whose histories are recorded: the package's own, and the example agent in both forms of its steps. */
export {
  type AddressAnswer,
  type AddressQuestion,
  addressAgent as agentByName,
} from '../../examples/address-agent/workflows.js';
export * from '../../src/workflows/index.js';
export { addressAgent } from './address-agent-with-references.js';
