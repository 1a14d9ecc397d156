/**
 * Tenderly: the project list, and simulations of one transaction or of a bundle. Tenderly's answer to a bad key is not
 * documented; this one has Tenderly's documented error shape.
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { parseJson } from '../../redaction/parse-json.js';
import { bundleRequest, type SimulationRequest, simulationRequest } from './simulation-request.js';
import type { Reply, Service } from './stand-in.js';
import { single } from './wire-format.js';

/** The part that differs: a chain simulates, or a test answers. */
export interface TenderlyServiceOptions {
  /** The slugs of the account's projects that the owner of a key may see. @param asked - absent for the list of projects */
  projects(account: string, owner: string, asked?: string): readonly string[];
  /** The workspace that a call is for. @param project - absent for the list of projects */
  expectedOwner?(account: string, project: string | undefined): string | undefined;
  /** @throws NotSimulated */
  simulate(requests: readonly SimulationRequest[], isBundle: boolean, owner: string): Promise<readonly object[]>;
}

/** The service answers with the status 400. */
export class NotSimulated extends Error {
  /** @param slug - default: the one of a bad request */
  constructor(
    message: string,
    readonly slug?: string,
  ) {
    super(message);
  }
}

const PATH = /^\/api\/v1\/account\/([^/]+)\/(?:(projects)|project\/([^/]+)\/(simulate|simulate-bundle))$/;

const SLUGS: Readonly<Record<number, string>> = {
  400: 'bad_request',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  429: 'too_many_requests',
};

export function tenderlyService(options: TenderlyServiceOptions): Service {
  return {
    ...{ provider: 'tenderly', prefix: '' },
    keyOf: (headers) => single(headers['x-access-key']),
    refusal: () => error(401, 'The access key is not valid.'),
    error,
    expectedOwner({ path }) {
      const [, account = '', list, project] = PATH.exec(path) ?? [];
      return options.expectedOwner?.(account, list ? undefined : project);
    },
    answer({ method, path, body }, owner) {
      const [, account = '', list, project, call] = PATH.exec(path) ?? [];
      const slugs = options.projects(account, owner, project);
      if (method === 'GET' && list && slugs.length > 0) return projectList(slugs);
      if (method === 'POST' && project !== undefined && slugs.includes(project))
        return simulation(options, call === 'simulate-bundle', body, owner);
      return error(404, 'The resource does not exist, or this key may not see it.');
    },
  };
}

function projectList(slugs: readonly string[]): Reply {
  return { status: 200, body: { projects: slugs.map((slug) => ({ id: slug, slug, name: slug })) } };
}

async function simulation(
  { simulate }: TenderlyServiceOptions,
  isBundle: boolean,
  body: string,
  owner: string,
): Promise<Reply> {
  try {
    const requests = isBundle
      ? bundleRequest.parse(parseJson(body)).simulations
      : [simulationRequest.parse(parseJson(body))];
    const results = await simulate(requests, isBundle, owner);
    return { status: 200, body: isBundle ? { simulation_results: results } : (results[0] ?? {}) };
  } catch (cause) {
    if (cause instanceof z.ZodError) return error(400, z.prettifyError(cause));
    if (cause instanceof NotSimulated) return error(400, cause.message, cause.slug);
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
