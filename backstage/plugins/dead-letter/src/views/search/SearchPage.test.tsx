import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { FakeService, Refusal } from '../../testing/FakeService';
import { violations } from '../../testing/axe';
import { exampleOf, openApi } from '../../testing/document';
import { component, show } from '../../testing/render';
import { SearchPage } from './SearchPage';

const service = FakeService.forTests();
const SEARCH = 'GET /dead-letters';
const example: any = exampleOf(openApi.components.schemas.DeadLetteredMessage);
const ID = '01938c2e-7b1a-7c3e-9d5f-000000000001';

function found(...messages: object[]) {
  service.answer(SEARCH, {
    foundAs: ['correlationId'],
    messages: messages.map((each, index) => ({
      ...example,
      id: ID.replace(/1$/, String(index + 1)),
      ...each,
    })),
    total: { value: messages.length, relation: 'eq' },
    nextCursor: null,
    prevCursor: null,
  });
}

describe('SearchPage', () => {
  beforeEach(() =>
    service.answer('GET /operations', { operations: [], nextCursor: null }),
  );

  it('says what it looks through before anybody asks', async () => {
    await show(<SearchPage />);
    expect(
      await screen.findByText(
        /ids, errors, bodies and headers of all dead letters/,
      ),
    ).toBeInTheDocument();
    expect(service.askedFor(SEARCH)).toEqual([]);
    expect(await violations()).toEqual([]);
  });

  it('finds over all services and statuses', async () => {
    found(
      { service: 'webshop', errorType: 'PaymentDeclined' },
      { service: 'ghost', errorType: 'Lost', status: 'redelivered' },
    );
    await show(<SearchPage />, {
      at: '/?env=demo&find=ada%40example.com',
      catalog: [component('webshop')],
    });
    expect(
      await screen.findByText('2 dead letters match “ada@example.com”'),
    ).toBeInTheDocument();
    expect(
      screen.getByText('Found by correlation id. Text was not searched.'),
    ).toBeInTheDocument();
    expect(service.askedFor(SEARCH)[0].query).toEqual({
      find: 'ada@example.com',
      status: 'any',
      limit: '50',
    });
    expect(
      await screen.findByRole('link', { name: 'webshop' }),
    ).toHaveAttribute(
      'href',
      '/catalog/default/component/webshop/dead-letters?env=demo',
    );
    expect(screen.getByRole('link', { name: 'ghost' })).toHaveAttribute(
      'href',
      '/dead-letter/service?env=demo&service=ghost',
    );
    expect(screen.getByText('Redelivered')).toBeInTheDocument();
    expect(await violations()).toEqual([]);
  });

  it('opens what it found', async () => {
    found({ service: 'webshop', errorType: 'PaymentDeclined' });
    await show(<SearchPage />, {
      at: '/?env=demo&find=x',
      catalog: [component('webshop')],
    });
    await userEvent.click(
      await screen.findByRole('button', { name: /PaymentDeclined/ }),
    );
    await waitFor(() =>
      expect(service.askedFor('GET /dead-letters/{id}')[0].params.id).toBe(ID),
    );
    expect(
      await screen.findByRole('button', { name: 'Redeliver' }),
    ).toBeInTheDocument();
  });

  it('says where it looked when there is none', async () => {
    found();
    await show(<SearchPage />, { at: '/?env=demo&find=nobody' });
    expect(
      await screen.findByText('No dead letters match “nobody”'),
    ).toBeInTheDocument();
    expect(
      screen.getByText(/All services and statuses were searched/),
    ).toBeInTheDocument();
    expect(await violations()).toEqual([]);
  });

  it('says that a search took too long, and not that the service is away', async () => {
    service.answer(SEARCH, () => {
      throw new Refusal(
        503,
        'ServiceUnavailableError',
        'the search took too long',
        'too-slow',
      );
    });
    await show(<SearchPage />, { at: '/?env=demo&find=x' });
    expect(await screen.findByRole('alert')).toHaveTextContent(
      'the search took too long',
    );
    expect(screen.queryByText(/is not responding/)).toBeNull();
    expect(service.askedFor(SEARCH)).toHaveLength(1);
  });

  it('shows nothing of services that one may not see', async () => {
    found({ service: 'vault', errorMessage: 'a secret' });
    await show(<SearchPage />, {
      at: '/?env=demo&find=x',
      denied: ['dead-letter.message.read'],
    });
    expect(
      await screen.findByText(/1 result on this page is hidden/),
    ).toBeInTheDocument();
    expect(screen.queryByText(/a secret/)).toBeNull();
  });

  it('says that a dead letter is not found', async () => {
    service.answer('GET /dead-letters/{id}', () => {
      throw new Refusal(404, 'NotFoundError', 'no dead letter has this id');
    });
    await show(<SearchPage />, { at: `/?env=demo&message=${ID}` });
    expect(
      await screen.findByText('Dead letter not found'),
    ).toBeInTheDocument();
  });
});
