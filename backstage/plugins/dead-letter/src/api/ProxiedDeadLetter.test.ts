import { FakeService, Refusal } from '../testing/FakeService';
import { ProxiedDeadLetter } from './ProxiedDeadLetter';

const service = FakeService.forTests();
const environment = {
  name: 'demo',
  title: 'Demo',
  proxyPath: '/dead-letter/demo',
};
const client = new ProxiedDeadLetter([environment], {
  discoveryApi: {
    getBaseUrl: async plugin => `http://localhost:7007/api/${plugin}`,
  },
  fetchApi: { fetch: (...request) => fetch(...request) },
}).at(environment);
const id = '01938c2e-7b1a-7c3e-9d5f-2a4b6c8d0e1f';

describe('ProxiedDeadLetter', () => {
  it('asks what the document knows, on every route', async () => {
    await client.search({ service: 'a b', queue: null }, { limit: 5 });
    await client.message(id);
    await client.squads();
    await client.services('checkout');
    await client.errorGroups({ service: 'webshop' }, 5);
    await client.changeErrorGroup(id, { action: 'resolve' });
    await client.histogram({ service: 'webshop' }, { by: 'reason' });
    await client.plan({ kind: 'redeliver', ids: [id] });
    await client.preview({ kind: 'redeliver', ids: [id] });
    await client.shiftLog({ since: '2026-11-24T03:12:45Z', offset: '+01:00' });
    await client.run({ planId: id });
    await client.undoDelete(id);
    await client.operations({
      limit: 5,
      errorGroup: id,
      from: '2026-11-24T03:12:45Z',
    });
    await client.operation(id);
    await client.operationItems(id, { outcome: 'refused' });
    await client.steer(id, 'pause');
    await client.steer(id, 'resume');
    await client.steer(id, 'cancel');
    await client.changeRate(id, 100);
    await client.audit({ action: 'delete', actor: 'user:default/jane' });
    expect(service.askedFor('GET /dead-letters')[0].query).toEqual({
      service: 'a b',
      limit: '5',
    });
    expect(service.asked).toHaveLength(20);
  });

  it('rejects with the error that the service names', async () => {
    service.answer('GET /dead-letters/{id}', () => {
      throw new Refusal(404, 'NotFoundError', 'there is no dead letter');
    });
    await expect(client.message(id)).rejects.toMatchObject({
      statusCode: 404,
      cause: { name: 'NotFoundError', message: 'there is no dead letter' },
    });
  });
});

describe('ids', () => {
  it.each([
    '../../../catalog/entities',
    '..%2f..%2fcatalog',
    `${id}/../../catalog`,
    `${id}?x=`,
    '',
  ])('that are none lead nowhere: %s', async other => {
    for (const ask of [
      () => client.message(other),
      () => client.body(other),
      () => client.errorGroup(other),
      () => client.changeErrorGroup(other, { action: 'resolve' }),
      () => client.operation(other),
      () => client.operationItems(other),
      () => client.steer(other, 'pause'),
      () => client.changeRate(other, null),
    ]) {
      await expect(ask()).rejects.toMatchObject({
        name: 'InputError',
        statusCode: 400,
      });
    }
    expect(service.asked).toEqual([]);
  });
});

describe('environments', () => {
  it('are behind the backend plugin, or behind the proxy where they have a path of it', async () => {
    const asked: string[] = [];
    const api = new ProxiedDeadLetter([], {
      discoveryApi: {
        getBaseUrl: async plugin => `http://backstage/api/${plugin}`,
      },
      fetchApi: {
        fetch: async address => {
          asked.push(String(address));
          return new Response('[]');
        },
      },
    });
    await api.at({ name: 'a/b', title: 'A' }).squads();
    await api
      .at({ name: 'c', title: 'C', proxyPath: '/dead-letter/c' })
      .squads();
    expect(asked).toEqual([
      'http://backstage/api/dead-letter/environments/a%2Fb/dead-letters/squad-overview',
      'http://backstage/api/proxy/dead-letter/c/dead-letters/squad-overview',
    ]);
  });
});
