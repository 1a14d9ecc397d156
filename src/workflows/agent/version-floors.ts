/**
 * The newest version of each provider that this workflow has had an answer with. Each step and each resolve sends them to
 * its activity, so that no worker, whatever its cache has, answers with an older one. The interceptors pass them on to the
 * next run and to child workflows.
 */
import type {
  ProviderIdentity,
  ProviderReference,
  ProviderUse,
  RpcReference,
  VersionFloors,
} from '../../protocol/references.js';

/** The workspace of a step that names none is that of the workflow's grant, and then every other one is the same. */
interface Whose {
  readonly workspaceId?: string;
  readonly type: string;
}

export interface SeenVersion extends Whose, Pick<ProviderIdentity, 'name'> {
  readonly version: number;
}

/** More providers than a workflow uses. A header must stay small. */
const MOST_PASSED_ON = 200;

/** By provider, the one that was seen last at the end. */
const seen = new Map<string, SeenVersion>();

/** @param reference - absent if a test mocks the activity */
export function noteReference(reference: ProviderReference | undefined): void {
  if (reference) noteUse(reference, reference);
}

/** @param use - absent if a test mocks the activity */
export function noteUse({ workspaceId, type }: Whose, use: Omit<ProviderUse, 'cache'> | undefined): void {
  if (use?.source === 'workspace') note({ workspaceId, type, name: use.name, version: use.version });
}

function note({ workspaceId, type, name, version }: SeenVersion): void {
  const key = `${workspaceId ?? ''}/${type}/${name}`;
  const newest = Math.max(version, seen.get(key)?.version ?? 0);
  seen.delete(key);
  seen.set(key, { workspaceId, type, name, version: newest });
}

/** The reference, with its version raised to the newest one that this workflow has seen. */
export function atLeastSeen<Type extends string>(reference: ProviderReference<Type>): ProviderReference<Type> {
  const floors = Object.entries(floorsOf(reference, [reference.name]));
  const version = Math.max(0, ...floors.map(([, floor]) => floor));
  return version > reference.version ? { ...reference, version, source: 'workspace' } : reference;
}

export function endpointsAtLeastSeen(reference: RpcReference): RpcReference {
  return { ...reference, endpoints: reference.endpoints.map(atLeastSeen) };
}

/**
 * The input, with the versions that this workflow has seen.
 *
 * @param names - the providers that may answer. Default: every one of the type
 */
export function withFloors<Input extends { readonly atLeast?: VersionFloors }>(
  input: Input,
  whose: Whose,
  names?: readonly string[],
): Input {
  const floors = new Map(Object.entries(input.atLeast ?? {}));
  for (const [name, version] of Object.entries(floorsOf(whose, names))) {
    floors.set(name, Math.max(version, floors.get(name) ?? 0));
  }
  return floors.size === 0 ? input : { ...input, atLeast: Object.fromEntries(floors) };
}

function floorsOf({ workspaceId, type }: Whose, names?: readonly string[]): VersionFloors {
  const floors = new Map<string, number>();
  for (const each of seen.values()) {
    const isOfWorkspace =
      workspaceId === undefined || each.workspaceId === undefined || each.workspaceId === workspaceId;
    if (!isOfWorkspace || each.type !== type || names?.includes(each.name) === false) continue;
    floors.set(each.name, Math.max(each.version, floors.get(each.name) ?? 0));
  }
  return Object.fromEntries(floors);
}

/** What the next run and child workflows start with. */
export function seenVersions(): readonly SeenVersion[] {
  return [...seen.values()].slice(-MOST_PASSED_ON);
}

/** @param versions - what a header has, which may be anything: what is not a version is left out */
export function takeSeenVersions(versions: unknown): void {
  if (!Array.isArray(versions)) return;
  for (const each of versions.slice(-MOST_PASSED_ON) as (Partial<SeenVersion> | null | undefined)[]) {
    const { workspaceId, type, name, version } = each ?? {};
    const isWorkspace = workspaceId === undefined || typeof workspaceId === 'string';
    if (!isWorkspace || typeof type !== 'string' || typeof name !== 'string' || !Number.isSafeInteger(version))
      continue;
    note({ workspaceId, type, name, version: version as number });
  }
}
