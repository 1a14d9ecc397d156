/** A stand-in of Tenderly, whose simulations a real chain computes. The path of a call has its account and project. */
import { KeyRing } from '../../src/testing/services/calls.js';
import type { SimulationRequest } from '../../src/testing/services/simulation-request.js';
import { type StandIn, startStandIn } from '../../src/testing/services/stand-in.js';
import { NotSimulated, tenderlyService } from '../../src/testing/services/tenderly.js';
import { chainId, NotExecutable, simulate, simulateBundle } from './simulation.js';

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

  const service = tenderlyService({
    projects(account, owner) {
      const own = projects.filter((known) => known.account === account && known.owner === owner);
      return [...new Set(own.map(({ project }) => project))];
    },
    expectedOwner(account, project) {
      const named = projects.filter(
        (known) => known.account === account && known.project === (project ?? known.project),
      );
      const [owner, ...others] = new Set(named.map((known) => known.owner));
      return others.length === 0 ? owner : undefined;
    },
    async simulate(requests, isBundle) {
      const [request] = requests as [SimulationRequest];
      if (request.network_id !== String(await chainId(rpcUrl))) throw new NotSimulated('network_id is not supported');
      try {
        return isBundle ? await simulateBundle(rpcUrl, requests) : [await simulate(rpcUrl, request)];
      } catch (cause) {
        if (cause instanceof NotExecutable) throw new NotSimulated(cause.message, 'invalid_transaction_simulation');
        throw cause;
      }
    },
  });
  return { ...(await startStandIn([service], ring, port)), admit };
}
