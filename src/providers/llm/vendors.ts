/** The language-model services that are known by name: their base URLs, and how a key is sent to them. */

interface Vendor {
  readonly baseURL: string;
  /** The version at the end of the AI SDK's base URL. It is removed: the vendor's own SDK takes the URL without it. */
  readonly version?: string;
  /** What its keys begin with: clients may look at it. */
  readonly keyPrefix: string;
  /** In order of preference. */
  readonly apiKeyVariables: readonly string[];
  readonly revokeByHand: string;
}

const VENDORS: Readonly<Record<string, Vendor>> = {
  anthropic: {
    baseURL: 'https://api.anthropic.com',
    version: '/v1',
    keyPrefix: 'sk-ant-api03-',
    apiKeyVariables: ['ANTHROPIC_API_KEY'],
    revokeByHand: 'disable the key at platform.claude.com, Settings, API keys',
  },
  openai: {
    baseURL: 'https://api.openai.com/v1',
    keyPrefix: 'sk-',
    apiKeyVariables: ['OPENAI_API_KEY'],
    revokeByHand: 'delete the key at platform.openai.com, Settings, API keys',
  },
  gemini: {
    baseURL: 'https://generativelanguage.googleapis.com',
    version: '/v1beta',
    keyPrefix: 'AIza',
    apiKeyVariables: ['GEMINI_API_KEY', 'GOOGLE_GENERATIVE_AI_API_KEY'],
    revokeByHand: 'delete the key at aistudio.google.com, API keys',
  },
};

/** Gemini's model is part of the URL, where `..` would lead the key to another path of the host. */
export const GEMINI_MODEL = /^[\w-][\w.-]*(\/[\w-][\w.-]*)*$/;
export const GEMINI_MODEL_RULE =
  'must be a model id of Gemini: A-Z a-z 0-9 _ . - and /, no part of which starts with a dot';

/** `undefined` for a compatible service. */
export function vendorOf(name: string): Vendor | undefined {
  return Object.hasOwn(VENDORS, name) ? VENDORS[name] : undefined;
}

/** The base URL, as the vendor's own SDK takes it. */
export function baseURLOf(name: string, config: { readonly baseURL?: string }): string {
  const vendor = vendorOf(name);
  const chosen = config.baseURL ?? vendor?.baseURL ?? '';
  return vendor?.version && chosen.endsWith(vendor.version) ? chosen.slice(0, -vendor.version.length) : chosen;
}

/** The base URL with the version of the API at its end, once. */
export function withVersion(baseURL: string, version: '/v1' | '/v1beta'): string {
  return baseURL.endsWith(version) ? baseURL : `${baseURL}${version}`;
}

/** The headers that a key is sent in: `authorization` with `Bearer` before it, the others without. */
export type KeyHeader = 'authorization' | 'x-api-key' | 'api-key' | 'x-goog-api-key';

export const KEY_HEADERS = [
  'authorization',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
] as const satisfies readonly KeyHeader[];

/** The header that an API reads the key from. @param protocol - or the name of a vendor */
export function keyHeaderOf(protocol: string): KeyHeader {
  if (protocol === 'anthropic') return 'x-api-key';
  return protocol === 'gemini' ? 'x-goog-api-key' : 'authorization';
}

/** The value of that header. */
export function keyHeaderValue(header: KeyHeader, key: string): string {
  return header === 'authorization' ? `Bearer ${key}` : key;
}

/** The header that says which version of its API is called. @param protocol - or the name of a vendor */
export function versionHeaders(protocol: string): Readonly<Record<string, string>> {
  return protocol === 'anthropic' ? { 'anthropic-version': '2023-06-01' } : {};
}

/** The variables of which the vendors' own SDKs take a key if they are given none. */
export function vendorVariables(): readonly { readonly vendor: string; readonly variable: string }[] {
  return Object.entries(VENDORS).flatMap(([vendor, { apiKeyVariables }]) =>
    apiKeyVariables.map((variable) => ({ vendor, variable })),
  );
}

/** Headers of the vendors' own clients that are not about a credential or an account. */
export const VENDOR_HEADERS: readonly string[] = [
  ...['anthropic-version', 'anthropic-beta', 'anthropic-dangerous-direct-browser-access', 'openai-beta'],
  ...['x-goog-api-client', 'x-goog-upload-*', 'x-server-timeout', 'x-app'],
];
