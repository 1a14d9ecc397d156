/** Images of the AI SDK, without a server. */
import { generateImage } from 'ai';
import { expect, test } from 'vitest';
import { workspaceModels } from '../../src/ai-sdk.js';
import { testProviders } from '../../src/testing.js';
import { inActivity } from '../activities/in-activity.js';

const KEY = 'key-of-acme-for-tests';
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=';

function activityWith(providers: Parameters<typeof testProviders>[0][string]) {
  const requests: Request[] = [];
  const service = (request: Request) => {
    requests.push(request);
    return Response.json({ created: 1, data: [{ b64_json: PIXEL }] });
  };
  const inMemory = testProviders({ ws_acme: providers }, { service });
  const environment = inActivity({}, inMemory.interceptors('ws_acme'));
  const run = <Result>(activity: () => Promise<Result>) => environment.run(activity) as Promise<Result>;
  return { run, requests };
}

const draw = (modelId: string) => async () => {
  const model = workspaceModels().imageModel(modelId);
  return (await generateImage({ model: model as never, prompt: 'A dot', maxRetries: 0 })).image.base64;
};

test('an image is made with the key of the workspace', async () => {
  const { run, requests } = activityWith({ 'llm/openai': { apiKey: KEY, model: 'gpt-5-mini' } });
  expect(await run(draw('openai/gpt-image-1'))).toBe(PIXEL);
  expect(requests.map(({ url, headers }) => [url, headers.get('authorization')])).toEqual([
    ['https://api.openai.com/v1/images/generations', `Bearer ${KEY}`],
  ]);
});

test('a service that makes no images is told apart, and is not called', async () => {
  const { run, requests } = activityWith({ 'llm/anthropic': { apiKey: KEY, model: 'claude-sonnet-5-5' } });
  await expect(run(draw('anthropic/none'))).rejects.toMatchObject({ type: 'ProviderConfigInvalid' });
  expect(requests).toEqual([]);
});
