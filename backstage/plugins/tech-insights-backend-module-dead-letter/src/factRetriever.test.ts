import {
  mockServices,
  registerMswTestHooks,
} from '@backstage/backend-test-utils';
import { catalogServiceMock } from '@backstage/plugin-catalog-node/testUtils';
import { Components } from '@dead-letter/backstage-plugin-dead-letter-node';
import { HttpResponse, http } from 'msw';
import { setupServer } from 'msw/node';
import { factRetriever } from './factRetriever';

const server = setupServer();
registerMswTestHooks(server);
const TARGET = 'https://dead-letter.example.com';
const HOUR_MS = 3_600_000;

function component(name: string, service?: string) {
  return {
    apiVersion: 'backstage.io/v1alpha1',
    kind: 'Component',
    metadata: {
      name,
      namespace: 'default',
      ...(service && { annotations: { 'dead-letter/service-name': service } }),
    },
  };
}

function overview(service: string, count: number, hours?: number) {
  return {
    service,
    count,
    oldest:
      hours === undefined
        ? null
        : new Date(Date.now() - hours * HOUR_MS).toISOString(),
    lastDay: { died: count + 1, deleted: 0, redelivered: 0 },
  };
}

function retrieve(token?: string) {
  const retriever = factRetriever(
    new Components({
      auth: mockServices.auth(),
      catalog: catalogServiceMock({
        entities: [
          component('webshop'),
          component('shop', 'mail, sms'),
          component('quiet'),
        ],
      }),
      logger: mockServices.logger.mock(),
    }),
    [
      { name: 'other', target: 'https://other.example.com' },
      { name: 'demo', target: TARGET, token },
    ],
  );
  return { retriever, facts: () => retriever.handler({} as any) };
}

describe('factRetriever', () => {
  it('has the facts of each component, those of its services added up', async () => {
    server.use(
      http.get(`${TARGET}/dead-letters/service-overview`, ({ request }) =>
        request.headers.get('authorization') === 'Bearer secret'
          ? HttpResponse.json([
              overview('webshop', 12, 3),
              overview('mail', 4, 48),
              overview('sms', 1, 1),
              overview('ghost', 9, 9),
            ])
          : new HttpResponse(null, { status: 401 }),
      ),
    );
    const { retriever, facts } = retrieve('secret');
    const found = await facts();
    const entity = (name: string) => ({
      kind: 'component',
      namespace: 'default',
      name,
    });
    expect(found).toEqual([
      {
        entity: entity('webshop'),
        facts: {
          deadLetters: 12,
          oldestDeadLetterHours: expect.closeTo(3, 2),
          diedInLastDay: 13,
        },
      },
      {
        entity: entity('shop'),
        facts: {
          deadLetters: 5,
          oldestDeadLetterHours: expect.closeTo(48, 2),
          diedInLastDay: 7,
        },
      },
      {
        entity: entity('quiet'),
        facts: { deadLetters: 0, oldestDeadLetterHours: 0, diedInLastDay: 0 },
      },
    ]);
    for (const each of found) {
      expect(Object.keys(each.facts)).toEqual(Object.keys(retriever.schema));
    }
  });

  it('fails without a token: nothing known is not nothing dead', async () => {
    await expect(retrieve().facts()).rejects.toThrow(/none with a token/);
  });
});
