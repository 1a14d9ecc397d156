/** What a workflow knows of the versions that it has had answers with, and what its steps make of it. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { ProviderReference, VersionFloors } from '../../../src/workflow.js';

let floors: typeof import('../../../src/workflows/agent/version-floors.js');

beforeEach(async () => {
  // Each workflow has the module anew.
  vi.resetModules();
  floors = await import('../../../src/workflows/agent/version-floors.js');
});

const ACME = { workspaceId: 'ws_acme', type: 'llm' };
const GRANTED = { type: 'llm' };
const use = (name: string, version: number, source: ProviderReference['source'] = 'workspace') => ({
  ...{ name, version, source },
});
const refTo = (name: string, version: number, workspaceId = 'ws_acme'): ProviderReference<'llm'> => ({
  ...{ workspaceId, type: 'llm', name, version, source: 'workspace', cache: 'hit', shown: {} },
});
const sentBy = (whose: Parameters<typeof floors.withFloors>[1], names?: readonly string[]) =>
  floors.withFloors<{ atLeast?: VersionFloors }>({}, whose, names).atLeast;

describe('a step by name', () => {
  test('sends nothing before the workflow has seen a version', () => {
    const input = {};
    expect(floors.withFloors(input, GRANTED)).toBe(input);
  });

  test('sends the newest version that a step, or a reference of a resolve, had', () => {
    floors.noteUse(GRANTED, use('cohere', 3));
    floors.noteUse(GRANTED, use('cohere', 2));
    floors.noteReference(refTo('mistral', 7));
    expect(sentBy(GRANTED)).toEqual({ cohere: 3, mistral: 7 });
  });

  test('sends only the versions of the providers that it names', () => {
    floors.noteUse(GRANTED, use('cohere', 3));
    floors.noteUse(GRANTED, use('mistral', 7));
    expect(sentBy(GRANTED, ['mistral', 'groq'])).toEqual({ mistral: 7 });
    expect(sentBy(GRANTED, [])).toBeUndefined();
  });

  test('sends no version of another type', () => {
    floors.noteUse({ type: 'tenderly' }, use('default', 4));
    expect(sentBy(GRANTED)).toBeUndefined();
    expect(sentBy({ type: 'tenderly' })).toEqual({ default: 4 });
  });

  test("has no floor after an answer with the platform's key", () => {
    floors.noteUse(GRANTED, use('cohere', 0, 'platform'));
    expect(sentBy(GRANTED)).toBeUndefined();
  });

  test('keeps a higher version that its caller gives', () => {
    floors.noteUse(GRANTED, use('cohere', 3));
    const given = { atLeast: { cohere: 9, groq: 1 } };
    expect(floors.withFloors(given, GRANTED).atLeast).toEqual({ cohere: 9, groq: 1 });
    expect(floors.withFloors({ atLeast: { cohere: 1 } }, GRANTED).atLeast).toEqual({ cohere: 3 });
  });

  test("sends names that JavaScript's objects have too", () => {
    floors.noteUse(GRANTED, use('constructor', 2));
    expect(sentBy(GRANTED, ['constructor'])).toEqual({ constructor: 2 });
    expect(sentBy(GRANTED, ['valueof'])).toBeUndefined();
  });
});

describe('a step that names its workspace', () => {
  test('has the versions of that workspace, and of steps that named none', () => {
    floors.noteUse(ACME, use('cohere', 3));
    floors.noteUse({ ...ACME, workspaceId: 'ws_globex' }, use('cohere', 8));
    expect(sentBy(ACME)).toEqual({ cohere: 3 });
    floors.noteUse(GRANTED, use('groq', 5));
    expect(sentBy(ACME)).toEqual({ cohere: 3, groq: 5 });
  });
});

describe('a reference', () => {
  test('is raised to the version of a step by name, and a platform key becomes the own one', () => {
    floors.noteUse(GRANTED, use('cohere', 3));
    expect(floors.atLeastSeen(refTo('cohere', 1))).toMatchObject({ version: 3 });
    const platform = { ...refTo('cohere', 0), source: 'platform' } as const;
    expect(floors.atLeastSeen(platform)).toMatchObject({ version: 3, source: 'workspace' });
  });

  test('that is newer stays as it is, and is no answer: it raises nothing', () => {
    const handed = refTo('cohere', 1_000_000);
    expect(floors.atLeastSeen(handed)).toBe(handed);
    expect(sentBy(GRANTED)).toBeUndefined();
  });

  test('of a chain has each of its endpoints raised', () => {
    floors.noteUse({ type: 'rpc' }, use('backup', 4));
    const endpoints = [refTo('main', 1), refTo('backup', 1)].map((each) => ({ ...each, type: 'rpc' as const }));
    const raised = floors.endpointsAtLeastSeen({ workspaceId: 'ws_acme', type: 'rpc', chainId: 1, endpoints });
    expect(raised.endpoints.map(({ version }) => version)).toEqual([1, 4]);
  });
});

describe('the next run and children', () => {
  test('start with what the workflow has seen', async () => {
    floors.noteUse(GRANTED, use('cohere', 3));
    floors.noteUse(ACME, use('groq', 5));
    const passed = JSON.parse(JSON.stringify(floors.seenVersions())) as unknown;
    vi.resetModules();
    floors = await import('../../../src/workflows/agent/version-floors.js');
    floors.takeSeenVersions(passed);
    expect(sentBy(ACME)).toEqual({ cohere: 3, groq: 5 });
  });

  test('get the versions that were seen last, if there are more than a header should hold', () => {
    for (let each = 0; each < 300; each += 1) floors.noteUse(GRANTED, use(`p${each}`, 1));
    floors.noteUse(GRANTED, use('p0', 1));
    const names = floors.seenVersions().map(({ name }) => name);
    expect([names.length, names.at(-1), names[0]]).toEqual([200, 'p0', 'p101']);
  });

  test.each([
    ['nothing', undefined],
    ['a text', 'cohere'],
    ['null', null],
    ['no version', [null, {}, 7, { type: 'llm', name: 'cohere', version: '3' }]],
    ['a version that is no number of a row', [{ type: 'llm', name: 'cohere', version: 1e300 }]],
    ['a workspace that is no text', [{ workspaceId: 1, type: 'llm', name: 'cohere', version: 3 }]],
  ])('take nothing from a header that has %s', (_, versions) => {
    floors.takeSeenVersions(versions);
    expect(floors.seenVersions()).toEqual([]);
  });
});
