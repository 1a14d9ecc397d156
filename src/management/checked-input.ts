/** Checks a provider before it is sealed and stored: its names, its fields, and where its secret would be sent. */
import type { EgressPolicy } from '../egress/policy.js';
import { isProviderError } from '../protocol/errors.js';
import { checkIdentity, checkProviderName, checkProviderType, checkWorkspaceId } from '../protocol/names.js';
import type { ProviderIdentity } from '../protocol/references.js';
import { checkDestination, type ParsedProvider } from '../providers/parse-provider.js';
import type { ProviderTypes } from '../providers/provider-types.js';
import { isObject } from './masking.js';
import type { ConfigureProviderInput } from './provider-inputs.js';

/** What an input must fit. */
export interface InputRules {
  readonly types: ProviderTypes;
  readonly egress: EgressPolicy;
}

/** @throws ProviderError `ProviderConfigInvalid`, naming fields and never values */
export function checkInput(input: ConfigureProviderInput, rules: InputRules): ParsedProvider {
  checkIdentity(input);
  return parseFields(input, rules);
}

export interface CheckedInput {
  readonly identity: ProviderIdentity;
  readonly parsed: ParsedProvider;
}

export interface InputProblem {
  readonly fields: readonly string[];
  readonly message: string;
}

const FIELDS = ['workspaceId', 'type', 'name', 'config', 'secret'];

/** Checks a value that may be anything, and returns everything that does not fit. */
export function checkUnknownInput(value: unknown, rules: InputRules): CheckedInput | InputProblem {
  if (!isObject(value)) return { fields: [], message: `must be an object with ${FIELDS.join(', ')}` };
  const unknown = Object.keys(value).some((field) => !FIELDS.includes(field));
  const problems: InputProblem[] = unknown
    ? [{ fields: [], message: `has an unknown field; it takes ${FIELDS.join(', ')}` }]
    : [];
  const input = value as unknown as ConfigureProviderInput;
  const passes = (check: () => unknown): boolean => {
    try {
      check();
      return true;
    } catch (error) {
      if (!isProviderError(error, 'ProviderConfigInvalid')) throw error;
      problems.push({ fields: error.facts.fields ?? [], message: error.message });
      return false;
    }
  };
  passes(() => checkWorkspaceId(input.workspaceId));
  const isType = passes(() => rules.types.get(checkProviderType(input.type)));
  const isName = passes(() => checkProviderName(input.name));
  const { workspaceId, type, name } = input;
  let parsed: ParsedProvider | undefined;
  if (isType && isName) {
    passes(() => {
      parsed = parseFields(input, rules);
    });
  }
  if (parsed && problems.length === 0) return { identity: { workspaceId, type, name }, parsed };
  return {
    fields: problems.flatMap(({ fields }) => fields),
    message: problems.map(({ message }) => message).join('; '),
  };
}

function parseFields(
  { type, name, config = {}, secret }: ConfigureProviderInput,
  { types, egress }: InputRules,
): ParsedProvider {
  const parsed = types.parse(type, name, config, secret);
  checkDestination(parsed, egress);
  return parsed;
}
