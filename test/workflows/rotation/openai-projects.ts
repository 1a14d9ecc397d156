/**
 * A stand-in for OpenAI's projects that supports only service accounts: each is created with a key and deleted with it.
 * No test needs more of the admin API yet.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface ServiceAccount {
  readonly id: string;
  readonly name: string;
  readonly key: string;
}

export interface OpenaiProjectsOptions {
  /** Called when a key was made. The response waits for the promise that it returns. */
  readonly onMade: (project: string, account: ServiceAccount) => Promise<void>;
  readonly onDeleted: (account: ServiceAccount) => void;
  /** Another stand-in, which answers what this one does not: the API that the keys are for. Default: 404. */
  readonly forwardTo?: string;
}

export interface OpenaiProjects {
  readonly url: string;
  accounts(project: string): readonly ServiceAccount[];
  stop(): Promise<void>;
}

async function forward(url: string, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const { authorization = '' } = incoming.headers;
  const answer = await fetch(url, { headers: { authorization } });
  outgoing.writeHead(answer.status, { 'content-type': 'application/json' });
  outgoing.end(await answer.text());
}

export async function startOpenaiProjects({
  onMade,
  onDeleted,
  forwardTo,
}: OpenaiProjectsOptions): Promise<OpenaiProjects> {
  const projects = new Map<string, ServiceAccount[]>();
  const accounts = (project: string) => projects.get(project) ?? [];

  async function make(project: string, name: string) {
    const account = { id: `svc_${randomUUID()}`, name, key: `canary/minted+${randomUUID().slice(0, 13)}` };
    projects.set(project, [...accounts(project), account]);
    await onMade(project, account);
    return { id: account.id, name, api_key: { value: account.key } };
  }

  function remove(project: string, id: string) {
    const account = accounts(project).find((each) => each.id === id);
    if (!account) return undefined;
    projects.set(
      project,
      accounts(project).filter((each) => each !== account),
    );
    onDeleted(account);
    return { deleted: true };
  }

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const [path = ''] = (incoming.url ?? '').split('?');
    const [, project = '', id = ''] = /\/organization\/projects\/([^/]+)\/service_accounts\/?(.*)$/.exec(path) ?? [];
    if (forwardTo && !project) return forward(`${forwardTo}${incoming.url}`, incoming, outgoing);
    const body = await text(incoming);
    const answer =
      incoming.method === 'POST'
        ? await make(project, JSON.parse(body).name)
        : incoming.method === 'DELETE'
          ? remove(project, id)
          : { data: accounts(project).map((account) => ({ id: account.id, name: account.name })), has_more: false };
    outgoing.writeHead(answer ? 200 : 404, { 'content-type': 'application/json' });
    outgoing.end(JSON.stringify(answer ?? { error: { message: 'no such service account' } }));
  }

  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    accounts,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
