import { testProviders } from 'workspace-providers/testing';

const HELLO = {
  ...{ id: 'r', object: 'response', created_at: 1, status: 'completed', model: 'gpt-5-mini' },
  output: [
    {
      ...{ type: 'message', id: 'm', status: 'completed', role: 'assistant' },
      content: [{ type: 'output_text', text: 'Hello.', annotations: [], logprobs: [] }],
    },
  ],
  usage: { input_tokens: 1, output_tokens: 1 },
};

export const providers = testProviders(
  { ws_acme: { 'llm/openai': { apiKey: 'key-of-acme-for-tests', model: 'gpt-5-mini' } } },
  { service: ({ method }) => Response.json(method === 'GET' ? { data: ['one', 'two'] } : HELLO) },
);
