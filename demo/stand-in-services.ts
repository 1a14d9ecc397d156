/**
 * Two customers, and stand-ins of all their services. Each stand-in accepts only the keys of these workspaces.
 * Tenderly's answers and the balances come from a real Ethereum node. Keys are random, and new for each run.
 */
import { randomBytes } from 'node:crypto';
import { startChain } from '../testbed/chain.js';
import { type LlmKey, startLlmStandIn } from '../testbed/standins/llm.js';
import type { Teardown } from '../testbed/teardown.js';
import { rotatedKey } from './rotated-key.js';
import type { DemoProvider, DemoQuestion, DemoServices } from './services.js';

/** Anvil's first two accounts, funded: one per workspace, so that the gateway knows which workspace a read is for. */
const ACME_ADDRESS = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266';
const GLOBEX_ADDRESS = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';

const MODELS = [
  { customer: 'acme', name: 'anthropic', service: 'anthropic', model: 'claude-sonnet-5-5' },
  { customer: 'acme', name: 'openai', service: 'openai', model: 'gpt-5' },
  { customer: 'globex', name: 'gemini', service: 'gemini', model: 'gemini-2.5-flash' },
  { customer: 'globex', name: 'local-model', service: 'openai-compatible', model: 'local-1' },
] as const;

const CUSTOMERS = ['acme', 'globex'] as const;

/** Each question names its workspace, so that a stand-in knows which workspace a call is for without its key. */
const QUESTIONS: readonly DemoQuestion[] = [
  question('ws_acme', 'anthropic', 'Can ws_acme pay its supplier from this address?', ACME_ADDRESS),
  question('ws_acme', 'openai', 'How much ether does ws_acme hold here?', ACME_ADDRESS),
  question('ws_globex', 'gemini', 'Is this treasury address of ws_globex funded?', GLOBEX_ADDRESS),
  question('ws_globex', 'local-model', 'Could ws_globex sweep this address today?', GLOBEX_ADDRESS),
];

/** The question that is asked while the provider of the first question is rotated. */
const MEANWHILE = question('ws_acme', 'anthropic', 'Is the address of ws_acme in order?', ACME_ADDRESS);

export async function standInServices(teardown: Teardown): Promise<DemoServices> {
  const models = MODELS.map((each) => ({ ...each, apiKey: demoKey(each.customer, each.name) }));
  const accounts = CUSTOMERS.map((customer) => ({
    account: customer,
    project: 'agents',
    accessKey: demoKey(customer, 'tenderly'),
    owner: `ws_${customer}`,
  }));
  const rpcKeys = CUSTOMERS.map((customer) => ({ key: demoKey(customer, 'rpc'), owner: `ws_${customer}` }));
  const keys = models.map(({ service, apiKey, customer }): LlmKey => {
    return { provider: service, key: apiKey, owner: `ws_${customer}` };
  });

  const older = models[0]?.apiKey ?? '';
  const next = demoKey('acme', 'anthropic');
  const adminKey = demoKey('acme', 'anthropic-admin');

  const rpc = { keys: rpcKeys, ownerOfRequest: ownerOfAddress };
  const { chainId, nodeUrl, gateway, tenderly } = await startChain(teardown, rpc, accounts);
  const llm = await teardown.use(startLlmStandIn({ keys, ownerOfPrompt, answer: async (each) => answer(each) }));
  llm.admitAdmin({ key: adminKey, owner: 'ws_acme' });

  const providers: DemoProvider[] = [
    ...models.map(({ customer, name, service, model, apiKey }) => ({
      ...provider(customer, 'llm', name),
      config: { baseURL: llm.baseUrls[service].sdk, model },
      secret: { apiKey },
    })),
    // Revokes the key that is replaced. No step ever receives it.
    {
      ...provider('acme', 'llm-admin', 'anthropic'),
      config: { baseURL: llm.baseUrls.anthropic.sdk },
      secret: { adminKey },
    },
    ...accounts.map(({ account, project, accessKey }) => ({
      ...provider(account, 'tenderly', 'default'),
      config: { account, project, baseURL: tenderly.url },
      secret: { accessKey },
    })),
    ...rpcKeys.map(({ key, owner }) => ({
      ...provider(owner.slice('ws_'.length), 'rpc', 'main'),
      config: { chainId },
      secret: { url: `${gateway.url}/v2/${key}` },
    })),
  ];
  return {
    title: `stand-ins of Anthropic, OpenAI, Gemini, an OpenAI-compatible service, Tenderly and an RPC provider; ${nodeUrl} is a real Ethereum node`,
    providers,
    questions: QUESTIONS,
    chainId,
    secrets: [
      ...models.map(({ apiKey }) => apiKey),
      ...accounts.map((each) => each.accessKey),
      ...rpcKeys.map((each) => each.key),
      next,
      adminKey,
    ],
    record: {
      calls: () => [...llm.calls(), ...tenderly.calls(), ...gateway.calls()],
      holdFirstQuestion: () => llm.holdNext({ provider: 'anthropic', bodyIncludes: QUESTIONS[0]?.question }),
    },
    rotation: rotatedKey({ older, next, question: MEANWHILE }, llm),
  };
}

function provider(customer: string, type: string, name: string) {
  return { workspaceId: `ws_${customer}`, type, name };
}

function question(workspaceId: string, llm: string, text: string, address: string): DemoQuestion {
  return { workspaceId, provider: llm, question: text, address };
}

function ownerOfAddress(body: string): string | undefined {
  if (body.includes(ACME_ADDRESS)) return 'ws_acme';
  return body.includes(GLOBEX_ADDRESS) ? 'ws_globex' : undefined;
}

function ownerOfPrompt(prompt: string): string | undefined {
  return /ws_(?:acme|globex)/.exec(prompt)?.[0];
}

/** The models' answer: a plan if JSON is requested, otherwise a sentence made of the facts in the prompt. */
function answer({ wantsJson, prompt }: { wantsJson: boolean; prompt: string }): string {
  if (wantsJson) return JSON.stringify({ transferWei: '1000000000000000000' });
  const wei = /The balance is (\d+) wei/.exec(prompt)?.[1] ?? '0';
  const outcome = /would (succeed|fail)/.exec(prompt)?.[1] ?? 'fail';
  return `The address holds ${BigInt(wei) / 10n ** 18n} ether, and a transfer of one ether would ${outcome}.`;
}

function demoKey(customer: string, service: string): string {
  return `demo-${customer}-${service}-${randomBytes(12).toString('hex')}`;
}
