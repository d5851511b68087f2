import {
  mockServices,
  registerMswTestHooks,
} from '@backstage/backend-test-utils';
import { TestPipeline } from '@backstage/plugin-search-backend-node';
import { catalogServiceMock } from '@backstage/plugin-catalog-node/testUtils';
import { deadLetterReadPermission } from '@dead-letter/backstage-plugin-dead-letter-common';
import { Components } from '@dead-letter/backstage-plugin-dead-letter-node';
import { HttpResponse, http } from 'msw';
import { setupServer } from 'msw/node';
import { ErrorGroupCollatorFactory } from './ErrorGroupCollatorFactory';

const server = setupServer();
registerMswTestHooks(server);
const TARGET = 'https://dead-letter.example.com';
const ID = '03bfd559-2582-81db-9da5-e2566c3c3179';

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

function deadLetterHas(services: string[]) {
  server.use(
    http.get(`${TARGET}/dead-letters/service-overview`, ({ request }) => {
      if (request.headers.get('authorization') !== 'Bearer secret') {
        return new HttpResponse(null, { status: 401 });
      }
      return HttpResponse.json(services.map(service => ({ service })));
    }),
    http.get(`${TARGET}/dead-letters/error-groups`, ({ request }) => {
      const service = new URL(request.url).searchParams.get('service');
      return HttpResponse.json({
        groups: [
          {
            id: ID,
            service,
            squad: 'checkout',
            state: 'new',
            reason: 'rejected',
            errorType: 'PaymentDeclined',
            title: 'card issuer timed out',
            sample: { messageId: 'secret-id', routingKey: 'secret-key' },
          },
        ],
      });
    }),
  );
}

async function collect(token?: string) {
  const logger = mockServices.logger.mock();
  const factory = new ErrorGroupCollatorFactory({
    environments: [{ name: 'demo', target: TARGET, token }],
    components: new Components({
      auth: mockServices.auth(),
      catalog: catalogServiceMock({
        entities: [
          component('webshop'),
          component('shop', 'mail, sms'),
          component('one', 'contested'),
          component('another', 'contested'),
        ],
      }),
      logger,
    }),
    logger,
  });
  const collator = await factory.getCollator();
  const found = await TestPipeline.fromCollator(collator).execute();
  return { factory, logger, ...found };
}

describe('ErrorGroupCollatorFactory', () => {
  it('says what went wrong and where, and nothing of a message', async () => {
    deadLetterHas(['webshop']);
    const { factory, documents } = await collect('secret');
    expect(factory.visibilityPermission).toBe(deadLetterReadPermission);
    expect(documents).toEqual([
      {
        title: 'card issuer timed out',
        text: 'PaymentDeclined card issuer timed out (rejected) in webshop, checkout',
        location: `/dead-letter/group?env=demo&id=${ID}`,
        environment: 'demo',
        service: 'webshop',
        squad: 'checkout',
        state: 'new',
        authorization: { resourceRef: 'component:default/webshop' },
      },
    ]);
    expect(JSON.stringify(documents)).not.toContain('secret');
  });

  it('asks for the permission on the component of each service', async () => {
    deadLetterHas(['sms', 'Ghost', 'contested']);
    const { documents } = await collect('secret');
    // Of a service that is several components, no document can say that all of them count.
    expect(documents.map(({ authorization }) => authorization)).toEqual([
      { resourceRef: 'component:default/shop' },
      { resourceRef: 'component:default/ghost' },
    ]);
  });

  it('leaves out an environment without a token, and says so', async () => {
    const { documents, logger } = await collect();
    expect(documents).toEqual([]);
    expect(logger.warn).toHaveBeenCalledWith(
      expect.stringContaining('error groups of demo cannot be searched'),
    );
  });

  it('fails as dead-letter does: the index of before stays', async () => {
    deadLetterHas(['webshop']);
    const { error } = await collect('another');
    expect(error).toMatchObject({ statusCode: 401 });
  });
});
