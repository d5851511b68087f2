import { ResponseError } from '@backstage/errors';
import {
  CreateOperation,
  ErrorGroups,
  Operation,
  Plan,
  RunPlan,
  ServiceOverview,
} from '@dead-letter/backstage-plugin-dead-letter-common';

/** As long as dead-letter may take. */
const PATIENCE_MS = 60_000;

/**
 * Which error groups, and how many of them: those with the most dead letters.
 * @public
 */
export interface GroupsRequest {
  service?: string;
  squad?: string;
  limit?: number;
}

/**
 * dead-letter in one environment, asked with a token.
 * @public
 */
export class DeadLetter {
  constructor(
    private readonly target: string,
    private readonly token: string,
  ) {}

  /** The services that the token may see. */
  services(): Promise<ServiceOverview[]> {
    return this.json('/dead-letters/service-overview');
  }

  errorGroups(request: GroupsRequest): Promise<ErrorGroups> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(request)) {
      if (value !== undefined) query.set(name, String(value));
    }
    return this.json(`/dead-letters/error-groups?${query}`);
  }

  /** Freezes a selection; nothing is done yet. */
  plan(request: CreateOperation): Promise<Plan> {
    return this.json('/operations/plan', request);
  }

  run(plan: RunPlan): Promise<Operation> {
    return this.json('/operations', plan);
  }

  // The caller's type says what it is: the service's OpenAPI document, which the types are made from, is what is trusted here.
  private async json(path: string, body?: unknown): Promise<any> {
    const response = await fetch(`${this.target}${path}`, {
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      // An address that nobody configured gets no token.
      redirect: 'error',
      signal: AbortSignal.timeout(PATIENCE_MS),
      ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    });
    if (!response.ok) {
      const error = await ResponseError.fromResponse(response);
      // What dead-letter says, instead of only its status: agents see nothing else.
      throw Object.assign(error, { message: error.cause.message });
    }
    return response.json();
  }
}
