// The inputs and results of the activities as JSON Schema: for workflows in other languages, which call them by name.
// Inputs come from what parses them, results from their types.
import { fileURLToPath } from 'node:url';
import { createGenerator } from 'ts-json-schema-generator';
import { z } from 'zod';
import { llmStepInput } from '../dist/activities/llm-step-input.js';
import {
  resolveLlmKeyInput,
  resolveProviderInput,
  resolveRpcEndpointInput,
  resolveTenderlyConfigInput,
  rpcStepInput,
  tenderlyStepInput,
} from '../dist/activities/step-inputs.js';

const INPUTS = {
  resolveProvider: resolveProviderInput,
  resolveLlmKey: resolveLlmKeyInput,
  resolveTenderlyConfig: resolveTenderlyConfigInput,
  resolveRpcEndpoint: resolveRpcEndpointInput,
  llmStep: llmStepInput,
  tenderlyStep: tenderlyStepInput,
  rpcStep: rpcStepInput,
};

/** The text of `docs/activities.schema.json`. */
export function activitySchemas() {
  const path = fileURLToPath(new URL('activity-results.ts', import.meta.url));
  const tsconfig = fileURLToPath(new URL('../tsconfig.json', import.meta.url));
  const generator = createGenerator({ path, tsconfig, skipTypeCheck: true, encodeRefs: false });
  const { Results, ...definitions } = generator.createSchema('Results').definitions;
  const activities = Object.entries(INPUTS).map(([activity, schema]) => {
    const input = z.toJSONSchema(schema, { io: 'input', target: 'draft-7', unrepresentable: 'any' });
    delete input.$schema;
    return [activity, { input, result: Results.properties[activity] }];
  });
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Inputs and results of the activities of workspace-providers',
    activities: Object.fromEntries(activities),
    definitions,
  };
  const text = JSON.stringify(schema, null, 2);
  // References must be URIs: `ProviderReference<"llm">` is named `ProviderReference-llm`.
  return `${text.replaceAll(/<\\"([a-z-]+)\\">/g, '-$1')}\n`;
}
