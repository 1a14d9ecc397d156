import type { ProviderClient } from '../../src/management.js';
import { FAILING } from './echo-service.js';
import type { Stage } from './stage.js';

/** The chains. The key of each endpoint is in a different place. */
export const CHAINS = [1, 2, 3, 4] as const;
export const LLMS = ['anthropic', 'openai', 'gemini', 'local-model'] as const;
export const WORKING = 'ws_works';

export const failingWorkspace = (how: string): string => `ws_${how}`;

/** Creates one secret per kind. */
export function plantSecrets({ canaries }: Stage) {
  return {
    llm: Object.fromEntries(LLMS.map((name) => [name, canaries.key(`an API key of ${name}`)])),
    header: canaries.key('a secret header'),
    path: canaries.word("a key in an endpoint's path"),
    query: canaries.key("a key in an endpoint's query"),
    userinfo: canaries.key("a password in an endpoint's userinfo"),
    accessKey: canaries.weak('a Tenderly access key'),
    nodeAccessKey: canaries.key('a Tenderly node access key'),
    adminKey: canaries.key('an admin key'),
    next: canaries.key('a staged next key'),
    refusedNext: canaries.key('a staged next key that is rejected'),
    oneMore: canaries.key('a key that was rolled back'),
  };
}

export type Secrets = ReturnType<typeof plantSecrets>;

/** The providers of a workspace. Working ones use the stand-in, the others the echo service. */
function providersOf(stage: Stage, secrets: Secrets, workspaceId: string, how: string) {
  const base = stage.echo.base(how);
  const { baseUrls } = stage.llm;
  const urls: Readonly<Record<string, string>> =
    how === 'works'
      ? {
          ...{ anthropic: baseUrls.anthropic.sdk, openai: baseUrls.openai.sdk, gemini: baseUrls.gemini.sdk },
          'local-model': baseUrls['openai-compatible'].sdk,
        }
      : Object.fromEntries(LLMS.map((name) => [name, `${base}/${name}`]));
  const model = { anthropic: 'claude-sonnet-5-5', openai: 'gpt-5-mini', gemini: 'gemini-2.5-flash' };
  const { header, path, query, userinfo, accessKey, nodeAccessKey, adminKey } = secrets;
  const withUserinfo = base.replace('//', `//user:${encodeURIComponent(userinfo)}@`);
  return [
    ...LLMS.map((name) => ({
      ...{ workspaceId, type: 'llm', name },
      config: { baseURL: urls[name], model: model[name as keyof typeof model] ?? 'local-1' },
      secret: { apiKey: secrets.llm[name] },
    })),
    ...[
      { url: `${base}/rpc/1/v2/${path}` },
      { url: `${base}/rpc/2/v2?apikey=${encodeURIComponent(query)}` },
      { url: `${withUserinfo}/rpc/3/v2` },
      { url: `${base}/rpc/4/v2`, headers: { 'x-secret': header } },
    ].map((secret, index) => ({
      ...{ workspaceId, type: 'rpc', name: `endpoint-${CHAINS[index]}`, config: { chainId: CHAINS[index] }, secret },
    })),
    {
      ...{ workspaceId, type: 'tenderly', name: 'default', secret: { accessKey, nodeAccessKey } },
      config: { account: 'account', project: 'project', baseURL: `${base}/tenderly` },
    },
    {
      ...{ workspaceId, type: 'llm-admin', name: 'anthropic', secret: { adminKey } },
      config: { baseURL: how === 'works' ? baseUrls.anthropic.sdk : `${base}/anthropic` },
    },
  ];
}

export async function configureAll(stage: Stage, secrets: Secrets, manager: ProviderClient): Promise<void> {
  const vendors = {
    anthropic: 'anthropic',
    openai: 'openai',
    gemini: 'gemini',
    'local-model': 'openai-compatible',
  } as const;
  for (const name of LLMS) {
    const key = secrets.llm[name] as string;
    stage.llm.admit({ provider: vendors[name], key, owner: key });
  }
  for (const key of [secrets.next, secrets.oneMore]) stage.llm.admit({ provider: 'anthropic', key, owner: key });
  stage.llm.admitAdmin({ key: secrets.adminKey, owner: secrets.llm.anthropic as string });
  for (const how of ['works', ...FAILING]) {
    const workspaceId = how === 'works' ? WORKING : failingWorkspace(how);
    const [first, ...others] = providersOf(stage, secrets, workspaceId, how);
    await manager.configureProvider(first!); // creates the data key
    await Promise.all(others.map((provider) => manager.configureProvider(provider)));
  }
}
