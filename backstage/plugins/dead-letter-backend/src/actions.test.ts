import {
  mockCredentials,
  mockServices,
  startTestBackend,
} from '@backstage/backend-test-utils';
import { actionsRegistryServiceMock } from '@backstage/backend-test-utils/alpha';
import { createServiceFactory } from '@backstage/backend-plugin-api';
import { actionsRegistryServiceRef } from '@backstage/backend-plugin-api/alpha';
import { catalogServiceMock } from '@backstage/plugin-catalog-node/testUtils';
import { deadLetterBasicPermissions } from '@dead-letter/backstage-plugin-dead-letter-common';
import { deadLetterBackendPlugin } from './plugin';
import { Upstream } from './testing/upstream';

const upstream = new Upstream();
const ADA = mockCredentials.user('user:default/ada');
const PLAN = '01938c2e-7b1a-7c3e-9d5f-2a4b6c8d0e1f';
const actions = actionsRegistryServiceMock();

function invoke(name: string, input = {}, credentials: any = ADA) {
  return actions.invoke({ id: `test:${name}`, input, credentials });
}

function answers(body: unknown, status = 200) {
  upstream.answer = (_, response) => {
    response.statusCode = status;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(body));
  };
}

beforeAll(async () => {
  const target = await upstream.start();
  const environments = [
    { name: 'proxied', proxyPath: '/dead-letter/proxied' },
    { name: 'demo', target },
  ];
  await startTestBackend({
    features: [
      deadLetterBackendPlugin,
      catalogServiceMock.factory({ entities: [] }),
      mockServices.rootConfig.factory({
        data: { deadLetter: { environments } },
      }),
      createServiceFactory({
        service: actionsRegistryServiceRef,
        deps: {},
        factory: () => actions,
      }),
    ],
  });
});
afterEach(() => {
  upstream.got.length = 0;
});
afterAll(() => upstream.end());

describe('actions', () => {
  it('each have a permission of their own', () => {
    const registered = [...actions.actions.values()];
    expect(
      registered.map(({ name, visibilityPermission }) => [
        name,
        visibilityPermission?.name,
      ]),
    ).toEqual([
      ['list-error-groups', 'dead-letter.action.list-groups'],
      ['plan-redelivery', 'dead-letter.action.plan'],
      ['run-plan', 'dead-letter.action.run-plan'],
    ]);
    for (const { visibilityPermission } of registered) {
      expect(deadLetterBasicPermissions).toContain(visibilityPermission);
    }
  });

  it('say what they do: only running a plan changes anything', async () => {
    const { actions: listed } = await actions.list();
    expect(listed.map(({ attributes }) => attributes)).toEqual([
      { readOnly: true, destructive: false, idempotent: true },
      { readOnly: false, destructive: false, idempotent: false },
      { readOnly: false, destructive: true, idempotent: true },
    ]);
  });

  it('list error groups on behalf of the user, without samples', async () => {
    const group = {
      id: PLAN,
      title: 'card issuer timed out',
      errorType: 'PaymentDeclined',
      reason: 'rejected',
      service: 'webshop',
      squad: 'checkout',
      state: 'new',
      count: 7,
      firstSeen: '2026-11-24T01:00:00Z',
      lastSeen: '2026-11-24T03:00:00Z',
    };
    answers({
      groups: [{ ...group, share: 1, sample: { messageId: 'secret' } }],
      total: 1,
      messages: 7,
    });
    const { output } = await invoke('list-error-groups', {
      service: 'a&b',
      limit: 5,
    });
    expect(output).toEqual({ groups: [group], total: 1, messages: 7 });
    const [asked] = upstream.got;
    expect(asked.url).toBe('/dead-letters/error-groups?service=a%26b&limit=5');
    const token = mockCredentials.service.token({
      onBehalfOf: ADA,
      targetPluginId: 'dead-letter',
    });
    expect(asked.headers.authorization).toBe(`Bearer ${token}`);
  });

  it('plan with a canary, and pass warnings on', async () => {
    answers({
      id: PLAN,
      total: 12,
      queues: [{ value: 'orders', count: 12, broker: null, vhost: null }],
      warnings: [
        {
          code: 'x',
          severity: 'warning',
          message: 'no consumers',
          count: null,
        },
      ],
      expiresAt: '2026-11-24T03:00:00Z',
    });
    const { output } = await invoke('plan-redelivery', {
      service: 'webshop',
      note: 'fixed',
    });
    expect(output).toEqual({
      planId: PLAN,
      total: 12,
      queues: [{ queue: 'orders', count: 12 }],
      warnings: [{ severity: 'warning', message: 'no consumers' }],
      expiresAt: '2026-11-24T03:00:00Z',
    });
    const [asked] = upstream.got;
    expect([asked.method, asked.url]).toEqual(['POST', '/operations/plan']);
    expect(JSON.parse(asked.body)).toEqual({
      kind: 'redeliver',
      filter: { service: 'webshop' },
      note: 'fixed',
      canary: [1, 10, 100],
    });
    await expect(invoke('plan-redelivery')).rejects.toThrow(/service/);
    expect(upstream.got).toHaveLength(1);
  });

  it('run a plan, and say that a second person is awaited', async () => {
    answers({ id: PLAN, state: 'paused', total: 12, awaitsApproval: true });
    const { output } = await invoke('run-plan', {
      environment: 'demo',
      planId: PLAN,
      rate: 10,
    });
    expect(output).toEqual({
      operationId: PLAN,
      state: 'paused',
      total: 12,
      awaitsApproval: true,
    });
    expect(JSON.parse(upstream.got[0].body)).toEqual({
      planId: PLAN,
      rate: 10,
    });
  });

  it('fail as dead-letter does', async () => {
    const error = { name: 'NotAllowedError', message: 'not you' };
    answers({ error, response: { statusCode: 403 } }, 403);
    await expect(invoke('run-plan', { planId: PLAN })).rejects.toMatchObject({
      statusCode: 403,
      message: 'not you',
    });
  });

  it('are only for users, and for environments that are reached', async () => {
    await expect(
      invoke('list-error-groups', {}, mockCredentials.service()),
    ).rejects.toThrow('only for users');
    await expect(
      invoke('list-error-groups', { environment: 'proxied' }),
    ).rejects.toThrow('no environment proxied with a target');
    expect(upstream.got).toEqual([]);
  });
});
