import {
  DeadLetterPermission,
  Me,
  deadLetterPermissionsByName,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { HttpResponse, http } from 'msw';
import { setupServer } from 'msw/node';
import {
  Endpoint,
  check,
  exampleOf,
  openApi,
  schemaOf,
  success,
} from './document';

/** Where Backstage's proxy has the service in tests. */
const BASE = 'http://localhost:7007/api/proxy/dead-letter/demo';

/** What a test does not say: whoever looks may do everything. */
const DEFAULTS: Record<string, Answer> = { 'GET /me': () => may({}) };

/** A request that came. */
export interface Asked {
  method: string;
  /** As the document has it, such as `/operations/{id}`. */
  path: string;
  params: Record<string, string>;
  query: Record<string, string>;
  body: any;
}

type Answer = (asked: Asked) => unknown;

/** What dead-letter allows: the services of each permission that is named, and all of the others. */
export function may(
  services: Partial<Record<DeadLetterPermission, string[]>>,
): Me {
  const permissions = Object.keys(deadLetterPermissionsByName);
  return {
    id: 'user:default/ada',
    name: 'user:default/ada',
    expiresAt: null,
    signInAvailable: true,
    permissions: permissions.map(permission => {
      const on = services[permission as DeadLetterPermission];
      return { permission, everything: !on, services: on ?? [] };
    }),
  };
}

/** Ends a request with this status, in the service's form of errors. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly errorName: string,
    detail: string,
    readonly type = 'test',
  ) {
    super(detail);
  }
}

/**
 * The service, made from its OpenAPI document: every route answers with the document's examples, unless a test says what.
 * Parameters and bodies that the document does not know end in an error, and so does an answer that it does not allow.
 */
export class FakeService {
  readonly asked: Asked[] = [];
  /** Where a test, or the plugin, and the document disagree. */
  private readonly broken: string[] = [];
  private readonly answers = new Map<string, Answer>();
  private readonly server = setupServer(
    ...Object.entries(openApi.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, endpoint]) =>
        this.handler(method.toUpperCase(), path, endpoint),
      ),
    ),
  );

  /** For each test of a file. */
  static forTests(): FakeService {
    const service = new FakeService();
    beforeAll(() => service.server.listen({ onUnhandledRequest: 'error' }));
    afterEach(() => {
      service.answers.clear();
      service.asked.length = 0;
      expect(service.broken.splice(0)).toEqual([]);
    });
    afterAll(() => service.server.close());
    return service;
  }

  /** What a route such as `GET /dead-letters` answers from now on. */
  answer(route: string, answer: Answer | object): void {
    const [method, path] = route.split(' ');
    if (!openApi.paths[path]?.[method.toLowerCase()]) {
      throw new Error(`the document has no ${route}`);
    }
    this.answers.set(
      route,
      typeof answer === 'function' ? (answer as Answer) : () => answer,
    );
  }

  /** What came to a route. */
  askedFor(route: string): Asked[] {
    return this.asked.filter(each => `${each.method} ${each.path}` === route);
  }

  private handler(method: string, path: string, endpoint: Endpoint) {
    // A pattern with a parameter must not catch the paths that the document names.
    const pattern = `${BASE}${path.replaceAll(/\{(\w+)\}/g, ':$1')}`;
    const match = http[method.toLowerCase() as 'get'];
    return match(pattern, async ({ request, params }) => {
      const route = `${method} ${path}`;
      const query = Object.fromEntries(new URL(request.url).searchParams);
      const text = await request.text();
      const asked: Asked = {
        method,
        path,
        params: params as Record<string, string>,
        query,
        body: text ? JSON.parse(text) : undefined,
      };
      this.asked.push(asked);
      const [status, schema] = success(endpoint);
      try {
        checkRequest(route, endpoint, asked);
        const answer = this.answers.get(route) ?? DEFAULTS[route];
        const body = answer ? answer(asked) : schema && exampleOf(schema);
        if (body instanceof Response) return body;
        if (schema) check(schema, body, `answer of ${route}`);
        return HttpResponse.json(body as any, { status });
      } catch (error) {
        if (error instanceof Refusal) return refusal(error);
        this.broken.push((error as Error).message);
        return refusal(new Refusal(500, 'Error', 'see the test'));
      }
    });
  }
}

function checkRequest(route: string, endpoint: Endpoint, asked: Asked): void {
  const known = (endpoint.parameters ?? [])
    .filter(each => each.in === 'query')
    .map(each => each.name);
  const unknown = Object.keys(asked.query).filter(
    name =>
      !known.includes(name) &&
      // Such as `header.*`: any name in its place.
      !known.includes(name.replace(/\..*$/s, '.*')),
  );
  if (unknown.length) throw new Error(`${route} does not know ${unknown}`);
  const schema = schemaOf(endpoint.requestBody);
  if (schema && asked.body !== undefined) {
    check(schema, asked.body, `body of ${route}`);
  }
}

function refusal({ status, errorName, message, type }: Refusal) {
  return HttpResponse.json(
    {
      type,
      title: errorName,
      status,
      detail: message,
      errors: [],
      error: { name: errorName, message },
      response: { statusCode: status },
    },
    { status },
  );
}
