import {
  mockCredentials,
  mockServices,
  startTestBackend,
} from '@backstage/backend-test-utils';
import { catalogServiceMock } from '@backstage/plugin-catalog-node/testUtils';
import { IncomingMessage, request } from 'http';
import { AddressInfo } from 'net';
import { deadLetterBackendPlugin } from './plugin';
import { Upstream } from './testing/upstream';

const upstream = new Upstream();
const ENVIRONMENT = '/api/dead-letter/environments/demo';
const ADA = mockCredentials.user('user:default/ada');
const ADAS_TOKEN = mockCredentials.user.token('user:default/ada');
let port: number;
/** What was answered; not all of it is read. */
const answered: IncomingMessage[] = [];

interface Sent {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  token?: string;
}

/** The path goes out exactly as it is here. */
function send(path: string, sent: Sent = {}): Promise<IncomingMessage> {
  const { method = 'GET', headers, body, token = ADAS_TOKEN } = sent;
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port,
        path,
        method,
        headers: {
          ...(token && { authorization: `Bearer ${token}` }),
          ...headers,
        },
      },
      response => {
        answered.push(response);
        resolve(response);
      },
    );
    asked.on('error', reject);
    asked.end(body);
  });
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return String(Buffer.concat(chunks));
}

describe('forward', () => {
  beforeAll(async () => {
    const target = await upstream.start();
    const { server } = await startTestBackend({
      features: [
        deadLetterBackendPlugin,
        catalogServiceMock.factory(),
        mockServices.rootConfig.factory({
          data: {
            deadLetter: {
              environments: [
                { name: 'demo', target: `${target}/base/` },
                { name: 'away', target: 'http://127.0.0.1:1' },
                { name: 'proxied', proxyPath: '/dead-letter/proxied' },
              ],
            },
          },
        }),
      ],
    });
    port = (server.address() as AddressInfo).port;
  });
  beforeEach(() => {
    upstream.got.length = 0;
    upstream.answer = (_, response) => response.end('{}');
  });
  afterEach(() => {
    for (const each of answered.splice(0)) each.destroy();
  });
  afterAll(() => upstream.end());

  it('sends a request on behalf of the user, and the answer back', async () => {
    upstream.answer = (_, response) =>
      response
        .writeHead(503, {
          'content-type': 'application/problem+json',
          'retry-after': '2',
          'set-cookie': 'a=b',
          connection: 'x-hop',
          'x-hop': 'one connection',
        })
        .end('{"title":"Database unavailable"}');
    const answer = await send(`${ENVIRONMENT}/operations/plan?a=%2F&b=c+d`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'idempotency-key': 'once',
        cookie: 'secret=1',
        'x-forwarded-for': '10.0.0.1',
      },
      body: '{"kind":"redeliver"}',
    });
    expect(answer.statusCode).toBe(503);
    expect(await textOf(answer)).toBe('{"title":"Database unavailable"}');
    expect(answer.headers).toMatchObject({
      'retry-after': '2',
      'content-type': 'application/problem+json',
    });
    expect(answer.headers).not.toHaveProperty('set-cookie');
    expect(answer.headers).not.toHaveProperty('x-hop');
    const [got] = upstream.got;
    expect(got).toMatchObject({
      method: 'POST',
      url: '/base/operations/plan?a=%2F&b=c+d',
      body: '{"kind":"redeliver"}',
    });
    expect(got.headers).toMatchObject({
      authorization: `Bearer ${mockCredentials.service.token({
        onBehalfOf: ADA,
        targetPluginId: 'dead-letter',
      })}`,
      'content-type': 'application/json',
      'idempotency-key': 'once',
    });
    expect(JSON.stringify(got)).not.toContain(ADAS_TOKEN);
    expect(got.headers).not.toHaveProperty('cookie');
    expect(got.headers).not.toHaveProperty('x-forwarded-for');
  });

  it('lets the bytes of a body through as they are', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, n) => n));
    upstream.answer = (_, response) =>
      response
        .writeHead(200, { 'content-disposition': 'attachment' })
        .end(bytes);
    const answer = await send(`${ENVIRONMENT}/dead-letters/1/body`);
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk);
    expect(Buffer.concat(chunks)).toEqual(bytes);
    expect(answer.headers['content-disposition']).toBe('attachment');
  });

  it('passes events on one by one, and ends when the browser goes', async () => {
    let ended: Promise<unknown> = Promise.resolve();
    let next = () => {};
    upstream.answer = (_, response) => {
      ended = new Promise(resolve => response.once('close', resolve));
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: 1\n\n');
      next = () => response.write('data: 2\n\n');
    };
    const answer = await send(`${ENVIRONMENT}/operations/1/events`, {
      headers: { 'accept-encoding': 'gzip' },
    });
    const events = answer[Symbol.asyncIterator]();
    expect(String((await events.next()).value)).toBe('data: 1\n\n');
    next();
    expect(String((await events.next()).value)).toBe('data: 2\n\n');
    answer.destroy();
    await ended;
  });

  it.each([
    '/admin',
    '/metrics',
    '/health/ready',
    '/dead-lettersx',
    '/dead-letters/../admin',
    '/dead-letters/%2e%2e/admin',
    '/dead-letters/..%2fadmin',
    '/dead-letters//admin',
    '/dead-letters/a@b',
    '//elsewhere.example/dead-letters',
    '/',
    '',
  ])('leads to no other route: %s', async path => {
    const answer = await send(`${ENVIRONMENT}${path}`);
    expect(answer.statusCode).toBe(404);
    expect(upstream.got).toEqual([]);
  });

  it.each([
    ['a method', 'PUT', '/dead-letters', {}, 404],
    [
      'a large body',
      'POST',
      '/operations/plan',
      { 'content-length': String(3 * 1024 * 1024) },
      413,
    ],
  ])('refuses %s', async (_, method, path, headers, status) => {
    const answer = await send(`${ENVIRONMENT}${path}`, { method, headers });
    expect(answer.statusCode).toBe(status);
    expect(upstream.got).toEqual([]);
  });

  it('is for users who have signed in', async () => {
    const nobody = await send(`${ENVIRONMENT}/dead-letters`, {
      token: mockCredentials.none.header().replace('Bearer ', ''),
    });
    expect(nobody.statusCode).toBe(401);
    const service = await send(`${ENVIRONMENT}/dead-letters`, {
      token: mockCredentials.service.token(),
    });
    expect(service.statusCode).toBe(403);
    expect(upstream.got).toEqual([]);
  });

  it('knows the environments that have a target', async () => {
    for (const name of ['proxied', 'other', '__proto__']) {
      const answer = await send(
        `/api/dead-letter/environments/${name}/dead-letters`,
      );
      expect(answer.statusCode).toBe(404);
    }
  });

  it('follows no redirect, and says when nothing answers', async () => {
    upstream.answer = (_, response) =>
      response
        .writeHead(307, { location: 'http://127.0.0.1:1/dead-letters' })
        .end();
    const redirected = await send(`${ENVIRONMENT}/dead-letters`);
    expect(redirected.statusCode).toBe(503);
    expect(upstream.got).toHaveLength(1);
    const away = await send('/api/dead-letter/environments/away/dead-letters');
    expect(away.statusCode).toBe(503);
    expect(JSON.parse(await textOf(away))).toMatchObject({
      error: {
        name: 'ServiceUnavailableError',
        message: 'dead-letter does not answer',
      },
      response: { statusCode: 503 },
    });
  });
});
