import { ResponseError } from '@backstage/errors';
import { DiscoveryApi, FetchApi } from '@backstage/frontend-plugin-api';
import {
  CreateOperation,
  ErrorGroupChange,
  Filter,
  RestoreRequest,
  RunPlan,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import {
  AuditRequest,
  DeadLetterApi,
  DeadLetterClient,
  HistogramBy,
  OperationsRequest,
  PageRequest,
} from './DeadLetterApi';
import { Environment } from './environments';

type Query = Record<string, string | number | boolean | null | undefined>;

interface Call {
  method?: 'GET' | 'POST' | 'PATCH';
  query?: Query;
  body?: unknown;
  signal?: AbortSignal;
}

class ProxiedClient implements DeadLetterClient {
  constructor(
    private readonly environment: Environment,
    private readonly deps: { fetchApi: FetchApi; discoveryApi: DiscoveryApi },
  ) {}

  search(filter: Filter, page: PageRequest = {}, signal?: AbortSignal) {
    return this.json('/dead-letters', {
      query: { ...filterQuery(filter), ...page },
      signal,
    });
  }

  message(id: string, signal?: AbortSignal) {
    return this.json(`/dead-letters/${id}`, { signal });
  }

  async body(id: string) {
    return (await this.call(`/dead-letters/${id}/body`)).blob();
  }

  squads(signal?: AbortSignal) {
    return this.json('/dead-letters/squad-overview', { signal });
  }

  services(squad?: string, signal?: AbortSignal) {
    return this.json('/dead-letters/service-overview', {
      query: { squad },
      signal,
    });
  }

  errorGroups(filter: Filter, limit?: number, signal?: AbortSignal) {
    return this.json('/dead-letters/error-groups', {
      query: { ...filterQuery(filter), limit },
      signal,
    });
  }

  errorGroup(id: string, signal?: AbortSignal) {
    return this.json(`/dead-letters/error-groups/${id}`, { signal });
  }

  changeErrorGroup(id: string, change: ErrorGroupChange) {
    return this.json(`/dead-letters/error-groups/${id}`, {
      method: 'PATCH',
      body: change,
    });
  }

  histogram(
    filter: Filter,
    options: { interval?: string; by?: HistogramBy } = {},
    signal?: AbortSignal,
  ) {
    return this.json('/dead-letters/histogram', {
      query: { ...filterQuery(filter), ...options },
      signal,
    });
  }

  plan(request: CreateOperation, signal?: AbortSignal) {
    return this.json('/operations/plan', {
      method: 'POST',
      body: request,
      signal,
    });
  }

  run(plan: RunPlan) {
    return this.json('/operations', { method: 'POST', body: plan });
  }

  undoDelete(operationId: string, note?: string) {
    const body: RestoreRequest = { deletedBy: operationId, note };
    return this.json('/dead-letters/restore', { method: 'POST', body });
  }

  operations(request: OperationsRequest = {}, signal?: AbortSignal) {
    return this.json('/operations', { query: { ...request }, signal });
  }

  operation(id: string, signal?: AbortSignal) {
    return this.json(`/operations/${id}`, { signal });
  }

  operationItems(
    id: string,
    options: { outcome?: string; limit?: number; cursor?: string } = {},
    signal?: AbortSignal,
  ) {
    return this.json(`/operations/${id}/items`, { query: options, signal });
  }

  steer(id: string, action: 'pause' | 'resume' | 'cancel') {
    return this.json(`/operations/${id}/${action}`, { method: 'POST' });
  }

  changeRate(id: string, rate: number | null) {
    return this.json(`/operations/${id}`, { method: 'PATCH', body: { rate } });
  }

  audit(request: AuditRequest = {}, signal?: AbortSignal) {
    return this.json('/audit', { query: { ...request }, signal });
  }

  // The caller's type says what it is: the service's OpenAPI document, which the types are made from, is what is trusted here.
  private async json(path: string, call: Call = {}): Promise<any> {
    return (await this.call(path, call)).json();
  }

  private async call(path: string, call: Call = {}): Promise<Response> {
    const proxy = await this.deps.discoveryApi.getBaseUrl('proxy');
    const query = queryString(call.query ?? {});
    const response = await this.deps.fetchApi.fetch(
      `${proxy}${this.environment.proxyPath}${path}${query}`,
      {
        method: call.method ?? 'GET',
        signal: call.signal,
        ...(call.body !== undefined && {
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(call.body),
        }),
      },
    );
    if (!response.ok) {
      throw await ResponseError.fromResponse(response);
    }
    return response;
  }
}

/** dead-letter through Backstage's proxy. */
export class ProxiedDeadLetter implements DeadLetterApi {
  constructor(
    readonly environments: Environment[],
    private readonly deps: { fetchApi: FetchApi; discoveryApi: DiscoveryApi },
  ) {}

  at(environment: Environment): DeadLetterClient {
    return new ProxiedClient(environment, this.deps);
  }
}

/** In a query each header and each path of the body is a parameter of its own. */
function filterQuery({ headers, bodyPaths, ...others }: Filter): Query {
  const named = (prefix: string, values: Record<string, string> = {}) =>
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => [
        `${prefix}.${name}`,
        value,
      ]),
    );
  return {
    ...others,
    ...named('header', headers),
    ...named('body', bodyPaths),
  };
}

function queryString(query: Query): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === null ? [] : [[name, String(value)]],
  );
  return given.length ? `?${new URLSearchParams(given)}` : '';
}
