import {
  AuthService,
  HttpAuthService,
  LoggerService,
} from '@backstage/backend-plugin-api';
import {
  InputError,
  NotFoundError,
  ServiceUnavailableError,
} from '@backstage/errors';
import { ReachableEnvironment } from '@dead-letter/backstage-plugin-dead-letter-node';
import { Request, RequestHandler, Response } from 'express';
import { Readable } from 'stream';
import { pipeline } from 'stream/promises';

/** The routes that the front end uses. What a segment may contain leaves no way out of them. */
const ROUTES =
  /^\/(?:dead-letters|operations|me|ownership|shift-log|audit|incidents|notifications|deployments|gate)(?:\/[A-Za-z0-9-]+)*$/;
const METHODS = ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'];
const WITH_BODY = ['POST', 'PATCH'];
/** As much as dead-letter takes. */
const LARGEST_BODY = 2 * 1024 * 1024;
/** Until it begins to answer. It lets callers wait for an operation for up to a minute. */
const PATIENCE_MS = 90_000;
/** What of a request goes to dead-letter. Neither cookies nor the user's token are among it. */
const PASSED_ON = [
  'accept',
  'accept-language',
  'content-type',
  'idempotency-key',
  'if-none-match',
  'last-event-id',
  'traceparent',
  'tracestate',
  'user-agent',
  'x-request-id',
];
/** What of an answer is about one connection only (RFC 9110, section 7.6.1), or not for browsers. */
const KEPT_BACK = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'set-cookie',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

interface Deps {
  auth: AuthService;
  httpAuth: HttpAuthService;
  logger: LoggerService;
  environments: ReachableEnvironment[];
}

/** Sends requests on to an environment, with a token on behalf of the user instead of the user's own. */
export function forward(deps: Deps): RequestHandler {
  return async (request, response) => {
    const user = await deps.httpAuth.credentials(request, { allow: ['user'] });
    const address = addressOf(request, deps.environments);
    const { token } = await deps.auth.getPluginRequestToken({
      onBehalfOf: user,
      targetPluginId: 'dead-letter',
    });
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const answer = await ask(request, address, token, gone).catch(error => {
      if (gone.signal.aborted && response.closed) return undefined;
      deps.logger.warn(`${new URL(address).origin} does not answer`, error);
      throw new ServiceUnavailableError('dead-letter does not answer');
    });
    if (answer) await passBack(answer, response);
  };
}

function addressOf(
  request: Request,
  environments: ReachableEnvironment[],
): string {
  const { target } = environmentOf(environments, request.params.environment);
  // As it came: nothing in it is decoded.
  const [path, query] = split(request.url);
  if (!ROUTES.test(path) || !METHODS.includes(request.method)) {
    throw new NotFoundError('The front end uses no such route of dead-letter');
  }
  if (Number(request.headers['content-length'] ?? 0) > LARGEST_BODY) {
    const tooLarge = new InputError('The body is larger than 2 MiB');
    throw Object.assign(tooLarge, { statusCode: 413 });
  }
  return `${target}${path}${query}`;
}

/** The one that is named, if this backend reaches it. */
export function environmentOf(
  environments: ReachableEnvironment[],
  name: string,
): ReachableEnvironment {
  const found = environments.find(each => each.name === name);
  if (!found) {
    throw new NotFoundError(
      `deadLetter.environments has no environment ${name} with a target`,
    );
  }
  return found;
}

function split(url: string): [path: string, query: string] {
  const end = url.indexOf('?');
  return end < 0 ? [url, ''] : [url.slice(0, end), url.slice(end)];
}

async function ask(
  request: Request,
  address: string,
  token: string,
  gone: AbortController,
): Promise<globalThis.Response> {
  const headers = new Headers({
    authorization: `Bearer ${token}`,
    'accept-encoding': 'identity',
  });
  for (const name of PASSED_ON) {
    const value = request.get(name);
    if (value !== undefined) headers.set(name, value);
  }
  const patience = setTimeout(() => gone.abort(), PATIENCE_MS);
  try {
    const hasBody = WITH_BODY.includes(request.method);
    return await fetch(address, {
      method: request.method,
      headers,
      // An address that nobody configured gets no token.
      redirect: 'error',
      signal: gone.signal,
      ...(hasBody && { body: Readable.toWeb(request), duplex: 'half' }),
    } as RequestInit);
  } finally {
    clearTimeout(patience);
  }
}

async function passBack(
  answer: globalThis.Response,
  response: Response,
): Promise<void> {
  const named = (answer.headers.get('connection') ?? '')
    .split(',')
    .map(name => name.trim().toLowerCase());
  response.status(answer.status);
  answer.headers.forEach((value, name) => {
    if (!KEPT_BACK.has(name) && !named.includes(name)) {
      response.setHeader(name, value);
    }
  });
  if (answer.headers.get('content-type')?.startsWith('text/event-stream')) {
    // Compressed, events would wait for one another.
    response.setHeader('cache-control', 'no-cache, no-transform');
  }
  response.flushHeaders();
  if (!answer.body) {
    response.end();
    return;
  }
  // Whichever side ends early ends the other one: the status was sent, so nothing more can be said.
  await pipeline(Readable.fromWeb(answer.body as any), response).catch(() =>
    response.destroy(),
  );
}
