/**
 * A stand-in of Tenderly: the project list, and simulations of one transaction or of a bundle, computed by a real chain. The
 * workspace of a call is known from the account and project in its path. Tenderly's answer to a bad key is not
 * documented; this one has Tenderly's documented error shape.
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { parseJson } from '../../src/redaction/parse-json.js';
import { KeyRing } from './calls.js';
import { chainId, NotExecutable, simulate, simulateBundle } from './simulation.js';
import { bundleRequest, simulationRequest } from './simulation-request.js';
import { type Reply, type Service, type StandIn, startStandIn } from './stand-in.js';
import { single } from './wire-format.js';

export interface TenderlyAccount {
  /** The account's slug. */
  readonly account: string;
  /** The project's slug. */
  readonly project: string;
  readonly accessKey: string;
  /** The workspace whose project it is. */
  readonly owner: string;
}

export interface TenderlyStandInOptions {
  readonly accounts: readonly TenderlyAccount[];
  /** The chain that simulations run on. */
  readonly rpcUrl: string;
  /** Default: 0, which is a free port. */
  readonly port?: number;
}

/** The running stand-in. Use its `url` in place of `https://api.tenderly.co`. */
export interface TenderlyStandIn extends StandIn {
  /** Admits another project, or another key of a project. */
  admit(account: TenderlyAccount): void;
}

const PATH = /^\/api\/v1\/account\/([^/]+)\/(?:(projects)|project\/([^/]+)\/(simulate|simulate-bundle))$/;

const SLUGS: Readonly<Record<number, string>> = {
  400: 'bad_request',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  429: 'too_many_requests',
};

export async function startTenderlyStandIn({
  accounts,
  rpcUrl,
  port,
}: TenderlyStandInOptions): Promise<TenderlyStandIn> {
  const ring = new KeyRing();
  const projects: Omit<TenderlyAccount, 'accessKey'>[] = [];
  const admit = ({ accessKey, ...project }: TenderlyAccount): void => {
    ring.admit('tenderly', accessKey, project.owner);
    projects.push(project);
  };
  accounts.forEach(admit);

  const service: Service = {
    provider: 'tenderly',
    prefix: '',
    keyOf: (headers) => single(headers['x-access-key']),
    refusal: () => error(401, 'The access key is not valid.'),
    error,
    expectedOwner({ path }) {
      const [, account, list, project] = PATH.exec(path) ?? [];
      const named = projects.filter((known) => known.account === account && (list || known.project === project));
      const [owner, ...others] = new Set(named.map((known) => known.owner));
      return others.length === 0 ? owner : undefined;
    },
    answer({ method, path, body }, owner) {
      const [, account, list, project, call] = PATH.exec(path) ?? [];
      const own = projects.filter((known) => known.account === account && known.owner === owner);
      if (method === 'GET' && list && own.length > 0) return projectList(own);
      if (method === 'POST' && own.some((known) => known.project === project)) {
        return simulation(rpcUrl, call === 'simulate-bundle', body);
      }
      return error(404, 'The resource does not exist, or this key may not see it.');
    },
  };
  return { ...(await startStandIn([service], ring, port)), admit };
}

function projectList(projects: readonly Pick<TenderlyAccount, 'project'>[]): Reply {
  const slugs = [...new Set(projects.map(({ project }) => project))];
  return { status: 200, body: { projects: slugs.map((slug) => ({ id: slug, slug, name: slug })) } };
}

async function simulation(rpcUrl: string, isBundle: boolean, body: string): Promise<Reply> {
  try {
    const requests = isBundle
      ? bundleRequest.parse(parseJson(body)).simulations
      : [simulationRequest.parse(parseJson(body))];
    const [request] = requests;
    if (request?.network_id !== String(await chainId(rpcUrl))) return error(400, 'network_id is not supported');
    if (isBundle) return { status: 200, body: { simulation_results: await simulateBundle(rpcUrl, requests) } };
    return { status: 200, body: await simulate(rpcUrl, request) };
  } catch (cause) {
    if (cause instanceof z.ZodError) return error(400, z.prettifyError(cause));
    if (cause instanceof NotExecutable) return error(400, cause.message, 'invalid_transaction_simulation');
    throw cause;
  }
}

function error(
  status: number,
  message = 'The request was not served.',
  slug = SLUGS[status] ?? 'internal_error',
): Reply {
  return { status, body: { error: { id: randomUUID(), slug, message } } };
}
