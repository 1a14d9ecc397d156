/**
 * The provider types that a process knows: those of this package and those of its users. The set is passed to whatever
 * reads providers; there is no table that is global and changes.
 */
import { ProviderError } from '../protocol/errors.js';
import { isProviderType } from './define-type.js';
import { isOptional } from './field-schema.js';
import { http } from './http/http.js';
import { llm } from './llm/llm.js';
import { llmAdmin } from './llm/llm-admin.js';
import { type ParsedProvider, parseDestination, parseProvider, parseSecret } from './parse-provider.js';
import { rpc } from './rpc/rpc.js';
import { tenderly } from './tenderly/tenderly.js';
import type { AnyKeyIssuer, AnyProviderType } from './type.js';

/** The types of this package. */
const BUILT_IN = [llm, tenderly, rpc, http, llmAdmin] as unknown as readonly AnyProviderType[];

/** The database does not give the rows of such types to workers: `provider_api.read_workspace`. */
const ADMIN = /-admin$/;

export class ProviderTypes {
  /** Only the types of this package. */
  static readonly builtIn = new ProviderTypes(BUILT_IN);

  readonly #types: ReadonlyMap<string, AnyProviderType>;

  private constructor(types: readonly AnyProviderType[]) {
    this.#types = new Map(types.map((each) => [each.type, each]));
  }

  /**
   * The types of this package, and types of users.
   *
   * @throws ProviderError `SetupInvalid` for a value that `defineProviderType` did not make, for two types of one name,
   *   and for the name of a type of this package
   */
  static with(own: readonly unknown[]): ProviderTypes {
    if (own.length === 0) return ProviderTypes.builtIn;
    const all = [...BUILT_IN];
    for (const [index, each] of own.entries()) {
      if (!isProviderType(each)) throw refused(`types[${index}]`, 'must be a type that defineProviderType returned');
      if (BUILT_IN.some(({ type }) => type === each.type)) {
        throw refused(each.type, 'is the name of a type of workspace-providers: give your type another name');
      }
      if (all.some(({ type }) => type === each.type)) {
        throw refused(each.type, 'is the name of two types: give one of them another name');
      }
      all.push(each as unknown as AnyProviderType);
    }
    return new ProviderTypes(all);
  }

  /** The names of all types. */
  get names(): readonly string[] {
    return [...this.#types.keys()];
  }

  /** The names of the types of users. */
  get ownNames(): readonly string[] {
    return this.names.slice(BUILT_IN.length);
  }

  /** The names of the types that steps may open: an admin's credential is only for rotations and checks. */
  get stepNames(): readonly string[] {
    return this.names.filter((name) => !ADMIN.test(name));
  }

  /** @throws ProviderError `ProviderConfigInvalid` for an unknown type; the message lists the known ones */
  get(type: string): AnyProviderType {
    const found = this.#types.get(type);
    if (found) return found;
    throw ProviderError.configInvalid('type', `must be one of ${this.names.join(', ')}; ${OWN_TYPES}`);
  }

  isStepType(type: string): boolean {
    return this.#types.has(type) && !ADMIN.test(type);
  }

  /** @throws ProviderError `ProviderConfigInvalid` for a type that only rotations and checks open, or an unknown one */
  stepType(type: string): AnyProviderType {
    const found = this.isStepType(type) && this.#types.get(type);
    if (found) return found;
    const rule = `must be one of ${this.stepNames.join(', ')}: steps open no others; ${OWN_TYPES}`;
    throw ProviderError.configInvalid('type', rule);
  }

  /**
   * Checks config and secret against their type, and makes the credential.
   *
   * @param owner - the workspace, of which placeholders are made. Default: none
   * @throws ProviderError `ProviderConfigInvalid`; its `fields` and message name what does not fit, never a value
   */
  parse(type: string, name: string, config: unknown, secret: unknown, owner?: string): ParsedProvider {
    return parseProvider(this.get(type), name, config, secret, owner);
  }

  /** Checks a secret without its config, which may have changed since. Throws as {@link parse} does. */
  parseSecret(type: string, name: string, secret: unknown): Readonly<Record<string, unknown>> {
    return parseSecret(this.get(type), name, secret);
  }

  /**
   * Where a config sends the secret, as it is sealed with the secret: known before the secret is opened. Throws as
   * {@link parse} does.
   */
  destinationOf(type: string, name: string, config: unknown): string {
    return parseDestination(this.get(type), name, config);
  }

  /**
   * Returns what creates and revokes the keys of the provider. `undefined` if that must be done by hand.
   *
   * @throws ProviderError `ProviderConfigInvalid` for an unknown type
   */
  keyIssuerOf(type: string, name: string): AnyKeyIssuer | undefined {
    return this.get(type).keyIssuer?.(name);
  }

  /**
   * The platform's own provider of that type and name, from the environment. `undefined` if it is not set.
   *
   * @throws ProviderError `ProviderConfigInvalid` if it is set and does not fit
   */
  fromEnvironment(type: string, name: string, env: NodeJS.ProcessEnv): ParsedProvider | undefined {
    const found = this.get(type).fromEnvironment(name, env);
    return found && this.parse(type, name, found.config, found.secret);
  }

  /** The fields of every type: lines of `configure --help`. Optional fields are in brackets. */
  describe(): readonly string[] {
    return [...this.#types.values()].flatMap(({ type, variants, config, secret }) =>
      variants.flatMap(({ name, title }) => [
        `  ${type} ${title}`,
        `      config: ${fieldsOf(config(name))}`,
        `      secret: ${fieldsOf(secret)}`,
      ]),
    );
  }
}

const OWN_TYPES = 'types of your own are given as `types` or in PROVIDER_TYPES';

function refused(what: string, rule: string): ProviderError {
  return ProviderError.setupInvalid('types', `${what} ${rule}`);
}

function fieldsOf(fields: ReturnType<AnyProviderType['config']>): string {
  const names = Object.entries(fields).map(([field, schema]) => (isOptional(schema) ? `[${field}]` : field));
  return names.join(', ') || 'none';
}
