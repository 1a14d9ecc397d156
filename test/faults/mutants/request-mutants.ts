/** Mutants of what a request asks, of how its head is completed, and of what a drain counts. */
import { unsealed } from '../../../src/egress/sealed-head.js';
import type { ProviderReference } from '../../../src/protocol/references.js';
import type { OpenScope, OpenScopes } from '../../../src/resolver/open-scopes.js';
import type { Protocol } from './protocol.js';
import { completing, FakeSocket } from './service.js';

type Hold = OpenScopes['hold'];

function holding(scopes: OpenScopes, change: (hold: Hold, reference: ProviderReference) => OpenScope): OpenScopes {
  const hold = scopes.hold.bind(scopes);
  return Object.assign(scopes, { hold: (reference: ProviderReference) => change(hold, reference) });
}

/** No drain counts the platform's credential. */
function uncounted(hold: Hold, reference: ProviderReference): OpenScope {
  const scope = hold({ ...reference, version: Number.POSITIVE_INFINITY });
  return {
    get isOutdated() {
      return scope.isOutdated;
    },
    opened: () => {},
    release: scope.release,
  };
}

function countedOnceRead(hold: Hold): OpenScope {
  let scope: OpenScope | undefined;
  return {
    get isOutdated() {
      return scope?.isOutdated ?? false;
    },
    opened: (reference) => {
      scope = hold(reference);
      scope.opened(reference);
    },
    release: () => scope?.release(),
  };
}

const LEASED = [
  ...['the worker renews', 'worker registers: commit', 'worker registers: answer'],
  ...['worker renews: snapshot', 'worker renews: commit', 'worker renews: answer'],
];
/** A request has its credential. */
const CONNECTING = [
  ...LEASED,
  ...['a step begins', 'worker loads: snapshot', 'worker loads: answer', 'the step makes a request'],
];
const CHANGE = ['a change commits', 'its fence begins', 'fence lists: snapshot', 'fence lists: answer'];
const FENCED = [
  ...['fence lists: snapshot', 'fence lists: answer', 'fence marks: commit', 'fence marks: answer'],
  ...['fence reads the epoch: snapshot', 'fence reads the epoch: answer'],
];
/** The worker falls silent, and its lease ends. */
const WAITED_OUT = [...CHANGE, 'time passes', 'time passes', ...FENCED];
const APPLIED = [
  ...[...CHANGE, 'the worker renews', 'worker renews: snapshot', 'worker renews: commit', 'worker renews: answer'],
  ...['worker renews: snapshot', 'worker renews: commit', 'worker renews: answer', ...FENCED],
];
/** A request has sent its load without a lease. */
const LOADING = [
  ...[...LEASED, 'time passes', 'a step begins', 'worker loads: snapshot', 'worker loads: answer'],
  ...['worker loads: snapshot', 'worker loads: answer', 'the step makes a request', 'worker loads: snapshot'],
];
/** The lease is back after the fence, and before the load is answered. */
const RENEWED_TOO_LATE = [
  ...[...CHANGE, 'time passes', 'time passes', 'the worker renews', 'worker renews: snapshot', 'worker renews: commit'],
  ...[...FENCED, 'worker renews: answer', 'worker loads: answer'],
];
const HEAD = 'a head is written';

/** Schedules of mutants that chance seldom finds. They are walked first. */
export const REQUEST_SCHEDULES: Readonly<Record<string, readonly string[]>> = {
  'a head that is written again does not ask again': [
    ...[...CONNECTING, HEAD, ...WAITED_OUT, 'a connection is dropped', HEAD],
  ],
  'the lease is not compared when a head is written': [...CONNECTING, ...WAITED_OUT, HEAD],
  'changes are not compared when a head is written': [...CONNECTING, ...APPLIED, HEAD],
  'a redirect to the same service gets the credential without asking': [
    ...[...CONNECTING, HEAD, ...WAITED_OUT, 'a redirect to the same service', HEAD],
  ],
  'a holder counts once its credential is read': [...LOADING, ...RENEWED_TOO_LATE, HEAD],
  'a drain does not count requests': [
    ...[
      ...CONNECTING,
      HEAD,
      ...APPLIED,
      'a drain looks',
      'drain looks at rows: snapshot',
      'drain looks at rows: answer',
    ],
  ],
};

export const REQUEST_MUTANTS: Readonly<Record<string, Partial<Protocol>>> = {
  'a step asks for its credential once': {
    bind: () => {
      let first: string | undefined;
      return ({ apiKey, watch: { onEnd } }) => {
        first ??= apiKey;
        return { apiKey: first, watch: { onEnd } };
      };
    },
  },
  'a request asks when it is made only': {
    bind: () => (request) => ({ ...request, watch: { onEnd: request.watch.onEnd } }),
  },
  'a head that is written again does not ask again': {
    bind: () => (request) => {
      let first: boolean | undefined;
      const isCurrent = () => (first ??= request.watch.isCurrent?.() ?? true);
      return { ...request, watch: { ...request.watch, isCurrent } };
    },
  },
  'the lease is not compared when a head is written': {
    cache: (cache) => Object.assign(cache, { isLeaseHeld: () => true }),
  },
  'changes are not compared when a head is written': {
    scopes: (scopes) => holding(scopes, (hold, reference) => ({ ...hold(reference), isOutdated: false })),
  },
  'a redirect to the same service gets the credential without asking': {
    afterRedirect: (socket, origin, sealed) =>
      origin === sealed.origin
        ? Object.assign(socket, {
            write: (text: string) => FakeSocket.prototype.write.call(socket, unsealed(text, sealed.texts)),
          })
        : completing(socket, origin, sealed),
  },
  'a redirect to another service gets the credential': {
    afterRedirect: (socket, _origin, sealed) => completing(socket, sealed.origin, sealed),
  },
  'a drain does not count requests': {
    scopes: (scopes, isRevealing) =>
      holding(scopes, (hold, reference) => (isRevealing() ? hold : uncounted.bind(undefined, hold))(reference)),
  },
  'a drain does not count a step that was shown the credential': {
    scopes: (scopes, isRevealing) =>
      holding(scopes, (hold, reference) => (isRevealing() ? uncounted.bind(undefined, hold) : hold)(reference)),
  },
  'a drain counts a request until its head is written': {
    bind: () => (request) => {
      const { isCurrent, onEnd } = request.watch;
      const isWritten = () => {
        const isSent = isCurrent?.() ?? true;
        if (isSent) onEnd?.();
        return isSent;
      };
      return { ...request, watch: { isCurrent: isWritten } };
    },
  },
  'a holder counts once its credential is read': { scopes: (scopes) => holding(scopes, countedOnceRead) },
};
