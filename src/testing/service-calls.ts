/** The calls that a test's code makes, and what the services answer. */
import { createFetch, type Fetch } from '../egress/http-client.js';
import { EgressPolicy } from '../egress/policy.js';
import { isProviderError, ProviderError } from '../protocol/errors.js';
import type { FailureType } from '../protocol/failure-types.js';
import { describeProvider } from '../protocol/names.js';
import type { ProviderIdentity } from '../protocol/references.js';

/** A call to a service, and the provider whose secret it carries. */
export interface ServiceCall {
  /** Absent if the call carries no secret of a provider of this test. */
  readonly provider?: ProviderIdentity;
  readonly method: string;
  /** Without the secret: `[redacted]` stands for it. */
  readonly url: string;
}

/** Answers in place of a service. */
export type TestService = (request: Request, provider: ProviderIdentity | undefined) => Response | Promise<Response>;

/**
 * A test's function, whose own errors are named as such; or, for `loopback`, servers on this machine, called by the HTTP
 * client of production.
 */
export function serviceOf(service: TestService | 'loopback', withoutSecrets: (text: string) => string): TestService {
  if (service === 'loopback') {
    const { fetch } = createFetch({ egress: new EgressPolicy({ networks: ['loopback'] }) });
    return (request) => fetch(request);
  }
  return async (request, provider) => {
    try {
      return await service(request, provider);
    } catch (error) {
      if (isProviderError(error) || !(error instanceof Error)) throw error;
      throw ProviderError.setupInvalid('service', `of testProviders threw: ${withoutSecrets(error.message)}`);
    }
  };
}

/** How services say it, so that a test goes through the same classification as production. */
const ANSWERS: Partial<Readonly<Record<FailureType, () => Response>>> = {
  CredentialRejected: () => refusal(401, 'invalid_api_key'),
  ProviderRateLimited: () => refusal(429, 'rate_limit_exceeded'),
  ProviderQuotaExhausted: () => refusal(402, 'insufficient_quota'),
  ProviderUnavailable: () => refusal(503, 'server_error'),
  ProviderRequestInvalid: () => refusal(400, 'invalid_request_error'),
};

export class ServiceCalls {
  readonly made: ServiceCall[] = [];
  readonly #failures: { readonly provider: ProviderIdentity; readonly answer: () => Response }[] = [];

  constructor(
    private readonly service: TestService,
    private readonly ownerOf: (text: string) => ProviderIdentity | undefined,
    private readonly withoutSecrets: (text: string) => string,
  ) {}

  readonly fetch: Fetch = async (input, init) => {
    const request = new Request(input as Request, init as RequestInit);
    request.signal.throwIfAborted();
    const provider = this.ownerOf([request.url, ...request.headers.values()].join('\n'));
    this.made.push({ provider, method: request.method, url: this.withoutSecrets(request.url) });
    const failure = this.#failures.findIndex(
      (each) => provider && describeProvider(each.provider) === describeProvider(provider),
    );
    if (failure >= 0) return this.#failures.splice(failure, 1)[0]?.answer() ?? Response.error();
    return this.service(request, provider);
  };

  /** @returns whether a service can answer in this way */
  failNext(provider: ProviderIdentity, type: FailureType): boolean {
    const answer = ANSWERS[type];
    if (answer) this.#failures.push({ provider, answer });
    return answer !== undefined;
  }
}

function refusal(status: number, code: string): Response {
  return Response.json({ error: { code, type: code, message: 'The service fails as the test asked.' } }, { status });
}
