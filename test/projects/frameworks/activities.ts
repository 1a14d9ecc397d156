import { generateText, streamText } from 'ai';
import { workspaceModels } from 'workspace-providers/ai-sdk';

const model = () => workspaceModels().languageModel('openai/gpt-5-mini');

export const askInActivity = async (prompt: string): Promise<string> =>
  (await generateText({ model: model(), prompt, maxRetries: 0 })).text;

export async function streamInActivity(prompt: string): Promise<string> {
  let failure: unknown;
  // The AI SDK ends the text without an error.
  const onError = ({ error }: { error: unknown }) => {
    failure = error;
  };
  const { textStream } = streamText({ model: model(), prompt, maxRetries: 0, onError });
  let text = '';
  for await (const part of textStream) text += part;
  if (failure) throw failure;
  return text;
}
