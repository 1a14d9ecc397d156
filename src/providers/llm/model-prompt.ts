/** Converts messages to the prompt that models of the AI SDK take, in version 3 (AI SDK 6) and 4 (AI SDK 7). */
import { ProviderError } from '../../protocol/errors.js';
import type {
  LlmAssistantPart,
  LlmFilePart,
  LlmMessage,
  LlmTextPart,
  LlmToolResultPart,
} from '../../protocol/llm-step.js';
import type { AiSdkModel } from './ai-sdk-model.js';

/** A prompt, as far as both versions of models have it. */
export type ModelPrompt = readonly { readonly role: string; readonly content: unknown }[];

/** By media type, which may end with a `*`: the URLs that a model reads itself. */
type SupportedUrls = Readonly<Record<string, readonly RegExp[]>>;

const DATA_URL = /^data:[^,;]{0,200}(?:;[^,;]{0,100})*;base64,/i;
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;

/**
 * @throws ProviderError `ProviderConfigInvalid` if a file is neither base64, nor an https URL that this model reads
 *   itself. Nothing is downloaded here: a URL in a message is chosen by whoever wrote the message, and a download would
 *   lead a worker's requests there
 */
export async function promptOf(
  model: Pick<AiSdkModel, 'specificationVersion' | 'supportedUrls'>,
  messages: readonly LlmMessage[],
  system?: string,
): Promise<ModelPrompt> {
  const urls = (await model.supportedUrls) as SupportedUrls;
  const convert = new PartConverter(model.specificationVersion === 'v3', urls);
  return [
    ...(system === undefined ? [] : [{ role: 'system', content: system }]),
    ...messages.map(({ role, content, providerOptions }, index) => ({
      role,
      content: convert.content(content, `messages.${index}.content`),
      ...(providerOptions && { providerOptions }),
    })),
  ];
}

class PartConverter {
  constructor(
    private readonly isV3: boolean,
    private readonly urls: SupportedUrls,
  ) {}

  content(content: LlmMessage['content'], path: string): unknown[] {
    const parts: readonly LlmAssistantPart[] =
      typeof content === 'string' ? [{ type: 'text', text: content }] : content;
    return parts.map((part, index) => this.#part(part, `${path}.${index}`));
  }

  #part(part: LlmAssistantPart, path: string): unknown {
    if (part.type === 'file') return { ...part, data: this.#data(part, path) };
    return part.type === 'tool-result' ? { ...part, output: this.#output(part, path) } : part;
  }

  #data(part: LlmFilePart, path: string): unknown {
    const base64 = base64Of(part.data);
    if (base64 !== undefined) return this.isV3 ? base64 : { type: 'data', data: base64 };
    const url = this.#urlOf(part);
    if (url) return this.isV3 ? url : { type: 'url', url };
    throw ProviderError.configInvalid(
      `${path}.data`,
      'must be base64, a `data:` URL in base64, or an https URL of a kind that this service reads itself: llmStep ' +
        'downloads nothing',
    );
  }

  #urlOf({ data, mediaType }: LlmFilePart): URL | undefined {
    if (!/^https:\/\//i.test(data) || !URL.canParse(data)) return undefined;
    const isRead = Object.entries(this.urls).some(
      ([pattern, urls]) => isOfType(mediaType, pattern) && urls.some((url) => url.test(data)),
    );
    return isRead ? new URL(data) : undefined;
  }

  #output({ output }: LlmToolResultPart, path: string): unknown {
    if (output.type !== 'content') return output;
    const value = output.value.map((part, index) => this.#resultPart(part, `${path}.output.value.${index}`));
    return { type: 'content', value };
  }

  #resultPart(part: LlmTextPart | LlmFilePart, path: string): unknown {
    if (part.type === 'text') return part;
    const data = base64Of(part.data);
    if (data === undefined)
      throw ProviderError.configInvalid(`${path}.data`, 'must be base64, or a `data:` URL in base64');
    if (!this.isV3) return { ...part, data: { type: 'data', data } };
    const isImage = part.mediaType.startsWith('image/');
    return { ...part, type: isImage ? 'image-data' : 'file-data', data };
  }
}

function base64Of(data: string): string | undefined {
  const base64 = data.replace(DATA_URL, '');
  return BASE64.test(base64) ? base64 : undefined;
}

function isOfType(mediaType: string, pattern: string): boolean {
  return pattern.endsWith('*') ? mediaType.startsWith(pattern.replace(/\*.*$/, '')) : mediaType === pattern;
}
