import {
  mockCredentials,
  mockServices,
  startTestBackend,
} from '@backstage/backend-test-utils';
import { Entity } from '@backstage/catalog-model';
import { catalogServiceMock } from '@backstage/plugin-catalog-node/testUtils';
import { AuthorizeResult } from '@backstage/plugin-permission-common';
import {
  deadLetterBasicPermissions,
  deadLetterPermissions,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { AddressInfo } from 'net';
import { deadLetterBackendPlugin } from './plugin';

const DECISIONS = '/api/dead-letter/decisions';
const ADA = 'user:default/ada';

function component(
  name: string,
  service?: string,
  namespace = 'default',
): Entity {
  return {
    apiVersion: 'backstage.io/v1alpha1',
    kind: 'Component',
    metadata: {
      name,
      namespace,
      ...(service && { annotations: { 'dead-letter/service-name': service } }),
    },
  };
}

interface Policy {
  /** The result by permission, without `dead-letter.message.`; conditional by default. */
  results?: Record<string, AuthorizeResult>;
  /** The components on which conditions hold. */
  holdsOn?: string[];
}

async function start(
  catalog: Entity[],
  { results = {}, holdsOn = [] }: Policy = {},
  enabled = true,
) {
  const asked: string[][] = [];
  const permissions = mockServices.permissions.mock({
    authorizeConditional: async queries =>
      queries.map(({ permission }) => {
        const result =
          results[permission.name.replace('dead-letter.message.', '')];
        return result
          ? { result: result as AuthorizeResult.ALLOW }
          : {
              result: AuthorizeResult.CONDITIONAL,
              pluginId: 'catalog',
              resourceType: 'catalog-entity',
              conditions: {
                rule: 'IS_ENTITY_OWNER',
                resourceType: 'catalog-entity',
                params: { claims: [ADA] },
              },
            };
      }),
    authorize: async queries => {
      const refs = queries.map(query => query.resourceRef ?? '');
      asked.push(refs);
      return refs.map(ref => ({
        result: holdsOn.includes(ref)
          ? AuthorizeResult.ALLOW
          : AuthorizeResult.DENY,
      }));
    },
  });
  const registry = mockServices.permissionsRegistry.mock();
  const { server } = await startTestBackend({
    features: [
      deadLetterBackendPlugin,
      catalogServiceMock.factory({ entities: catalog }),
      mockServices.rootConfig.factory({ data: { permission: { enabled } } }),
      permissions.factory,
      registry.factory,
    ],
  });
  const { port } = server.address() as AddressInfo;
  const ask = async (token: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}${DECISIONS}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    return { status: answer.status, body: (await answer.json()) as any };
  };
  return { ask, asked, registry };
}

const adasToken = mockCredentials.user.token(ADA);

describe('decisions', () => {
  it('registers every permission', async () => {
    const { registry } = await start([]);
    expect(registry.addPermissions).toHaveBeenCalledWith([
      ...deadLetterPermissions,
      ...deadLetterBasicPermissions,
    ]);
    expect(deadLetterPermissions).toHaveLength(8);
  });

  it('says where the policy allows what', async () => {
    const { ask, asked } = await start(
      [
        component('webshop'),
        component('notification-service', 'notification'),
        component('billing'),
        component('finance-jobs', 'statements, billing'),
      ],
      {
        results: { read: AuthorizeResult.ALLOW, delete: AuthorizeResult.DENY },
        holdsOn: [
          'component:default/webshop',
          'component:default/notification-service',
          'component:default/finance-jobs',
        ],
      },
    );
    const { status, body } = await ask(adasToken);
    expect(status).toBe(200);
    expect(body.user).toBe(ADA);
    // It is one of two components of billing.
    const services = ['notification', 'statements', 'webshop'];
    const own = { everything: false, services };
    expect(body.permissions).toEqual([
      { permission: 'read', everything: true, services: [] },
      { permission: 'read-payload', ...own },
      { permission: 'triage', ...own },
      { permission: 'redeliver', ...own },
      { permission: 'redirect', ...own },
      { permission: 'edit', ...own },
      { permission: 'delete', everything: false, services: [] },
      { permission: 'admin', ...own },
    ]);
    // The same conditions are applied once.
    expect(asked).toHaveLength(1);
  });

  it('answers about the user that a token of the plugin is on behalf of', async () => {
    const { ask } = await start([component('webshop')]);
    const onBehalfOf = mockCredentials.service.token({
      onBehalfOf: mockCredentials.user(ADA),
      targetPluginId: 'dead-letter',
    });
    expect((await ask(onBehalfOf)).body.user).toBe(ADA);
    const toAnother = mockCredentials.service.token({
      onBehalfOf: mockCredentials.user(ADA),
      targetPluginId: 'catalog',
    });
    expect((await ask(toAnother)).status).toBe(401);
    expect((await ask(mockCredentials.service.token())).status).toBe(403);
  });

  it('gives nobody a service by a second component that says it is the same', async () => {
    const { ask } = await start(
      [component('webshop'), component('mine', 'webshop', 'ada')],
      { holdsOn: ['component:ada/mine'] },
    );
    const { body } = await ask(adasToken);
    expect(body.permissions[0]).toEqual({
      permission: 'read',
      everything: false,
      services: [],
    });
  });

  it('asks about a large catalog in parts', async () => {
    const names = Array.from({ length: 450 }, (_, n) => `service-${n}`);
    const { ask, asked } = await start(
      names.map(name => component(name)),
      { holdsOn: names.map(name => `component:default/${name}`) },
    );
    const { body } = await ask(adasToken);
    expect(body.permissions[0].services).toEqual([...names].sort());
    expect(asked.map(refs => refs.length)).toEqual([200, 200, 50]);
  });

  it('does not take a policy that is switched off for one that allows', async () => {
    const { ask } = await start([], {}, false);
    const { status, body } = await ask(adasToken);
    expect(status).toBe(501);
    expect(body.error.message).toMatch(/permission\.enabled/);
  });
});
