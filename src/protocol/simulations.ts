/** What `tenderlyStep` simulates, and what it returns. */
import type { ProviderReference, ProviderUse, WantedProvider } from './references.js';

/** A whole number: of wei, of gas, of a block. As a number, a decimal text or a hexadecimal text with `0x`. */
export type Quantity = number | string;

export interface AccessListEntry {
  readonly address: string;
  /** Slots of 32 bytes, in hexadecimal. */
  readonly storageKeys: readonly string[];
}

/** The state of an account before the transaction. What is absent is as on the chain. */
export interface AccountOverride {
  /** In wei. */
  readonly balance?: Quantity;
  readonly nonce?: Quantity;
  /** The bytecode, in hexadecimal. */
  readonly code?: string;
  /** The value of each slot, both of 32 bytes in hexadecimal. Other slots are as on the chain. */
  readonly storage?: Readonly<Record<string, string>>;
}

export interface SimulatedTransaction {
  readonly from: string;
  /** Default: none, which creates a contract from `input`. */
  readonly to?: string;
  /** The call data, or the code that creates a contract, in hexadecimal. Default: `0x`. */
  readonly input?: string;
  /** In wei. Default: 0. */
  readonly value?: Quantity;
  /** The limit of gas. Default: the service's. */
  readonly gas?: Quantity;
  /** In wei. Default: 0. */
  readonly gasPrice?: Quantity;
  readonly accessList?: readonly AccessListEntry[];
  /** The state of accounts before this transaction, by address. */
  readonly stateOverrides?: Readonly<Record<string, AccountOverride>>;
}

/** Fields of the block's header, for contracts that read them. What is absent is as in the block. */
export interface BlockOverrides {
  readonly number?: Quantity;
  /** In seconds since 1970. */
  readonly timestamp?: Quantity;
  readonly gasLimit?: Quantity;
  /** In wei. */
  readonly baseFeePerGas?: Quantity;
  /** The address of the block's proposer: `block.coinbase`. */
  readonly miner?: string;
}

/** The workspace's Tenderly account: a reference, or without one, the account that the workspace has. */
export interface TenderlyAccount extends WantedProvider {
  /** What `resolveTenderlyConfig` has returned. Default: the account is found and opened in the activity of the step. */
  readonly ref?: ProviderReference<'tenderly'>;
}

export interface SimulationSettings {
  /** The chain to simulate on, as Tenderly names it: a decimal chain id. */
  readonly networkId: string;
  /** The block whose state is used: its number, `latest` or `earliest`. Default: `latest`. */
  readonly block?: Quantity;
  /** The position in the block: transactions before it have been executed. Default: behind all of them. */
  readonly transactionIndex?: number;
  readonly blockOverrides?: BlockOverrides;
  /** `full` decodes logs and lists asset changes; `abi` decodes logs; `quick` is the fastest. Default: `full`. */
  readonly simulationType?: 'full' | 'abi' | 'quick';
  /** Whether to keep the simulation in the project's dashboard. Default: false. */
  readonly save?: boolean;
}

export interface TenderlyStepInput extends TenderlyAccount, SimulationSettings {
  readonly transaction: SimulatedTransaction;
}

/** Transactions that are executed one after the other in the same block. */
export interface TenderlyBundleInput extends TenderlyAccount, SimulationSettings {
  /** 1 to 100 transactions. */
  readonly transactions: readonly SimulatedTransaction[];
}

/** Why an execution reverted. What a contract says is not to be trusted: it may have any text. */
export interface Revert {
  /** The text of `Error(string)`, or a panic: `Panic(0x11): arithmetic overflow`. Absent for a custom error. */
  readonly reason?: string;
  /** The data of the revert in hexadecimal, of at most 4 KiB: for a custom error, its selector and arguments. */
  readonly data?: string;
}

export interface SimulatedLog {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
  /** The name of the event. Absent if Tenderly does not know the contract, and in a `quick` simulation. */
  readonly name?: string;
  readonly inputs?: readonly { readonly name: string; readonly type: string; readonly value: string }[];
}

/** A token or native currency that changes its owner. Absent fields are unknown to Tenderly. */
export interface AssetChange {
  /** `Transfer`, `Mint` or `Burn`. */
  readonly type: string;
  readonly from?: string;
  readonly to?: string;
  /** In units of the token, as a decimal text. */
  readonly amount?: string;
  /** In the token's smallest unit. */
  readonly rawAmount?: string;
  readonly tokenId?: string;
  readonly dollarValue?: string;
  readonly token: {
    /** `ERC20`, `ERC721`, `NativeCurrency`. */
    readonly standard?: string;
    readonly address?: string;
    readonly symbol?: string;
    readonly decimals?: number;
  };
}

export interface Simulation {
  /** Whether the transaction would succeed. */
  readonly success: boolean;
  readonly gasUsed: number;
  /** The block whose state was used. */
  readonly blockNumber?: number;
  readonly errorMessage?: string;
  /** Why it reverted, if it did. */
  readonly revert?: Revert;
  readonly logs: readonly SimulatedLog[];
  /** Empty unless the simulation is `full`. */
  readonly assetChanges: readonly AssetChange[];
  /** The address of the contract that was created, if `to` is absent. */
  readonly contractAddress?: string;
  /** The simulation's id at Tenderly, if it was saved. */
  readonly simulationId?: string;
}

export interface TenderlyStepResult extends Simulation {
  readonly provider: ProviderUse;
}

export interface TenderlyBundleResult {
  /** Whether all transactions would succeed. */
  readonly success: boolean;
  /** One per transaction, up to the first that fails: Tenderly does not execute those behind it. */
  readonly simulations: readonly Simulation[];
  readonly provider: ProviderUse;
}
