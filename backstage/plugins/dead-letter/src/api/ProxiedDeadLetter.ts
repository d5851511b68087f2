import { InputError, ResponseError } from '@backstage/errors';
import { DiscoveryApi, FetchApi } from '@backstage/frontend-plugin-api';
import {
  AttributeKind,
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
  IncidentsRequest,
  OperationsRequest,
  PageRequest,
  ShiftLogRequest,
} from './DeadLetterApi';
import { Environment } from './environments';

/** As the service answers what is not an id. */
class InvalidIdError extends InputError {
  readonly statusCode = 400;
}

type Value = string | number | boolean | null | undefined;
/** Of a list each is a parameter of its own. */
type Query = Record<string, Value | Value[]>;

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

  me(signal?: AbortSignal) {
    return this.json('/me', { signal });
  }

  search(filter: Filter, page: PageRequest = {}, signal?: AbortSignal) {
    return this.json('/dead-letters', {
      query: { ...filterQuery(filter), ...page },
      signal,
    });
  }

  async message(id: string, signal?: AbortSignal) {
    return this.json(`/dead-letters/${segment(id)}`, { signal });
  }

  async body(id: string) {
    return (await this.call(`/dead-letters/${segment(id)}/body`)).blob();
  }

  squads(signal?: AbortSignal) {
    return this.json('/dead-letters/squad-overview', { signal });
  }

  ownership(signal?: AbortSignal) {
    return this.json('/ownership', { signal });
  }

  services(squad?: string, signal?: AbortSignal) {
    return this.json('/dead-letters/service-overview', {
      query: { squad },
      signal,
    });
  }

  errorGroups(
    filter: Filter,
    limit?: number,
    signal?: AbortSignal,
    assignee?: string,
  ) {
    return this.json('/dead-letters/error-groups', {
      query: { ...filterQuery(filter), limit, assignee },
      signal,
    });
  }

  async errorGroup(id: string, signal?: AbortSignal) {
    return this.json(`/dead-letters/error-groups/${segment(id)}`, { signal });
  }

  async changeErrorGroup(id: string, change: ErrorGroupChange) {
    return this.json(`/dead-letters/error-groups/${segment(id)}`, {
      method: 'PATCH',
      body: change,
    });
  }

  async distinctions(id: string, signal?: AbortSignal) {
    return this.json(`/dead-letters/error-groups/${segment(id)}/distinctions`, {
      signal,
    });
  }

  facets(
    filter: Filter,
    options: { by?: AttributeKind[]; limit?: number } = {},
    signal?: AbortSignal,
  ) {
    return this.json('/dead-letters/facets', {
      query: { ...filterQuery(filter), ...options },
      signal,
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

  preview(request: CreateOperation, signal?: AbortSignal) {
    return this.json('/operations/preview', {
      method: 'POST',
      body: request,
      signal,
    });
  }

  shiftLog(request: ShiftLogRequest, signal?: AbortSignal) {
    return this.json('/shift-log', { query: { ...request }, signal });
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

  async operation(id: string, signal?: AbortSignal) {
    return this.json(`/operations/${segment(id)}`, { signal });
  }

  async operationItems(
    id: string,
    options: { outcome?: string; limit?: number; cursor?: string } = {},
    signal?: AbortSignal,
  ) {
    return this.json(`/operations/${segment(id)}/items`, {
      query: options,
      signal,
    });
  }

  async steer(id: string, action: 'pause' | 'resume' | 'cancel') {
    return this.json(`/operations/${segment(id)}/${action}`, {
      method: 'POST',
    });
  }

  async changeRate(id: string, rate: number | null) {
    return this.json(`/operations/${segment(id)}`, {
      method: 'PATCH',
      body: { rate },
    });
  }

  incidents(request: IncidentsRequest = {}, signal?: AbortSignal) {
    return this.json('/incidents', { query: { ...request }, signal });
  }

  async incident(id: string, signal?: AbortSignal) {
    return this.json(`/incidents/${segment(id)}`, { signal });
  }

  testNotification(squad: string) {
    return this.json('/notifications/test', {
      method: 'POST',
      body: { squad },
    });
  }

  audit(request: AuditRequest = {}, signal?: AbortSignal) {
    return this.json('/audit', { query: { ...request }, signal });
  }

  // The caller's type says what it is: the service's OpenAPI document, which the types are made from, is what is trusted here.
  private async json(path: string, call: Call = {}): Promise<any> {
    return (await this.call(path, call)).json();
  }

  /** Where the environment is: behind the proxy, else behind the backend plugin. */
  private async base(): Promise<string> {
    const { name, proxyPath } = this.environment;
    const { discoveryApi } = this.deps;
    // Of the console it is empty: the service is where the page is.
    if (proxyPath !== undefined)
      return `${await discoveryApi.getBaseUrl('proxy')}${proxyPath}`;
    const backend = await discoveryApi.getBaseUrl('dead-letter');
    return `${backend}/environments/${encodeURIComponent(name)}`;
  }

  private async call(path: string, call: Call = {}): Promise<Response> {
    const query = queryString(call.query ?? {});
    const response = await this.deps.fetchApi.fetch(
      `${await this.base()}${path}${query}`,
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

/** dead-letter through Backstage: its backend plugin, or its proxy. */
export class ProxiedDeadLetter implements DeadLetterApi {
  constructor(
    readonly environments: Environment[],
    private readonly deps: { fetchApi: FetchApi; discoveryApi: DiscoveryApi },
  ) {}

  at(environment: Environment): DeadLetterClient {
    return new ProxiedClient(environment, this.deps);
  }
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * An id as a part of a path. Ids come from the address, which anybody may have written: what is none must not lead elsewhere in
 * Backstage, with the user's token.
 */
function segment(id: string): string {
  if (!UUID.test(id)) {
    throw new InvalidIdError(`${JSON.stringify(id)} is not an id`);
  }
  return encodeURIComponent(id);
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
  const given = Object.entries(query).flatMap(([name, values]) =>
    [values]
      .flat()
      .flatMap(value =>
        value === undefined || value === null ? [] : [[name, String(value)]],
      ),
  );
  return given.length ? `?${new URLSearchParams(given)}` : '';
}
