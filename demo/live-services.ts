/** The real services, for `--live`, with the keys in the environment. It costs as much as a few short prompts. */
import { ProviderError } from '../src/protocol/errors.js';
import { ProviderTypes } from '../src/providers/provider-types.js';
import type { DemoProvider, DemoServices } from './services.js';

const WORKSPACE = 'ws_live';
const MODELS = { anthropic: 'claude-haiku-4-5', openai: 'gpt-5-mini', gemini: 'gemini-2.5-flash' } as const;
/** A well-known public address. */
const ADDRESS = '0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045';

/** @throws ProviderError `ProviderConfigInvalid`, which names the variables that are needed */
export function liveServices(env: NodeJS.ProcessEnv): DemoServices {
  const models = Object.entries(MODELS).flatMap(([name, model]) => {
    const found = ProviderTypes.builtIn.fromEnvironment('llm', name, env);
    return found ? [{ ...found, ...named('llm', name), config: { ...fields(found.config), model } }] : [];
  });
  const tenderly = ProviderTypes.builtIn.fromEnvironment('tenderly', 'default', env);
  const rpc = ProviderTypes.builtIn.fromEnvironment('rpc', 'chain-1', env);
  if (models.length === 0 || !tenderly || !rpc) {
    throw new ProviderError(
      'ProviderConfigInvalid',
      '--live needs ANTHROPIC_API_KEY, OPENAI_API_KEY or GEMINI_API_KEY; TENDERLY_ACCOUNT, TENDERLY_PROJECT and TENDERLY_ACCESS_KEY; RPC_URL_1',
    );
  }
  const providers = [...models, { ...tenderly, ...named('tenderly', 'default') }, { ...rpc, ...named('rpc', 'main') }];
  return {
    title: 'the real services, with the keys in the environment',
    providers: providers.map(({ workspaceId, type, name, config, secret }) => {
      return { workspaceId, type, name, config: fields(config), secret } satisfies DemoProvider;
    }),
    questions: models.map(({ name }) => ({
      workspaceId: WORKSPACE,
      provider: name,
      question: 'Does this address hold any ether?',
      address: ADDRESS,
    })),
    chainId: 1,
    secrets: providers.flatMap(({ secret }) => Object.values(secret).filter((value) => typeof value === 'string')),
  };
}

function named(type: string, name: string) {
  return { workspaceId: WORKSPACE, type, name };
}

function fields(config: unknown): Readonly<Record<string, unknown>> {
  return config as Readonly<Record<string, unknown>>;
}
