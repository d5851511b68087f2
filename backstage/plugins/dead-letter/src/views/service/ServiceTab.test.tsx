import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { Refusal, may } from '../../testing/FakeService';
import { violations } from '../../testing/axe';
import { component, show } from '../../testing/render';
import {
  example,
  has,
  message,
  pages,
  searches,
  service,
  tab,
} from '../../testing/serviceTab';
import { ServicePage } from './ServicePage';

describe('ServiceTab', () => {
  it('shows what the service has, and is for everybody', async () => {
    has(117);
    await tab();
    expect(await screen.findByText('117 dead letters')).toBeInTheDocument();
    expect(await screen.findByText('m-0')).toBeInTheDocument();
    expect(screen.getAllByText('PaymentDeclined')).not.toHaveLength(0);
    expect(pages()[0]).toEqual({
      service: 'webshop',
      limit: '50',
      order: 'newest',
    });
    expect(await violations()).toEqual([]);
  });

  it('finds the service by the annotation', async () => {
    has(1);
    await tab({
      entity: component('shop', { 'dead-letter/service-name': 'webshop' }),
    });
    await screen.findByText('m-0');
    expect(pages()[0].service).toBe('webshop');
  });

  it('takes the filter from the address, and puts it there', async () => {
    has(3);
    await tab({ at: '/?queue=q&find=boom&routingKey=r&minAttempt=2' });
    await screen.findByText('m-0');
    expect(pages()[0]).toMatchObject({
      queue: 'q',
      find: 'boom',
      routingKey: 'r',
      minAttempt: '2',
    });
    expect(screen.getByText('routingKey: r')).toBeInTheDocument();
    const field = screen.getByRole('searchbox');
    expect(field).toHaveValue('boom');
    await userEvent.clear(field);
    await userEvent.type(field, 'bang');
    await waitFor(() => expect(pages().at(-1)!.find).toBe('bang'));
    await userEvent.click(screen.getByText('Clear filters'));
    await waitFor(() => expect(pages().at(-1)!.queue).toBeUndefined());
    expect(pages().at(-1)!.find).toBeUndefined();
  });

  it('takes headers and paths of the body from the address, for list and plan', async () => {
    has(3);
    await tab({ at: '/?header.tenant=acme&body.order.id=4711' });
    await screen.findByText('m-0');
    expect(pages()[0]).toMatchObject({
      'header.tenant': 'acme',
      'body.order.id': '4711',
    });
    expect(screen.getByText('header.tenant: acme')).toBeInTheDocument();
    await userEvent.click(screen.getByText('Select all 3 that match'));
    await userEvent.click(screen.getByRole('button', { name: 'Redeliver' }));
    await waitFor(() =>
      expect(
        service.askedFor('POST /operations/plan')[0].body.filter,
      ).toMatchObject({
        headers: { tenant: 'acme' },
        bodyPaths: { 'order.id': '4711' },
      }),
    );
  });

  it('turns pages by cursor, and begins anew with another filter', async () => {
    has(117);
    await tab();
    await screen.findByText('m-0');
    await userEvent.click(screen.getByRole('button', { name: /next/i }));
    expect(await screen.findByText('m-50')).toBeInTheDocument();
    expect(pages().at(-1)!.cursor).toBe('50');
    await userEvent.type(screen.getByRole('searchbox'), 'x');
    await waitFor(() => expect(pages().at(-1)!.find).toBe('x'));
    expect(pages().at(-1)!.cursor).toBeUndefined();
  });

  it('selects rows, then all that match and no later ones', async () => {
    has(117);
    await tab();
    await screen.findByText('m-0');
    const boxes = screen.getAllByRole('checkbox');
    await userEvent.click(boxes[1]);
    expect(await screen.findByText('1 selected')).toBeInTheDocument();
    await userEvent.click(boxes[0]);
    expect(await screen.findByText('50 selected')).toBeInTheDocument();
    await userEvent.click(screen.getByText('Select all 117 that match'));
    expect(
      await screen.findByText('All 117 that match are selected'),
    ).toBeInTheDocument();
    await userEvent.click(screen.getByRole('button', { name: 'Redeliver' }));
    await screen.findByRole('dialog');
    await waitFor(() =>
      expect(service.askedFor('POST /operations/plan')).not.toHaveLength(0),
    );
    const [{ body }] = service.askedFor('POST /operations/plan');
    expect(body.filter.service).toBe('webshop');
    // A millisecond after the newest that is shown.
    expect(new Date(body.filter.to).getTime()).toBe(
      new Date(example.receivedAt).getTime() + 1,
    );
    expect(body.ids).toBeUndefined();
  });

  it('opens one though others are chosen', async () => {
    has(3);
    await tab();
    await screen.findByText('m-0');
    await userEvent.click(screen.getAllByRole('checkbox')[1]);
    await userEvent.click(
      screen.getAllByRole('button', { name: /PaymentDeclined/ })[1],
    );
    expect(await screen.findByRole('dialog')).toBeInTheDocument();
    expect(service.askedFor('GET /dead-letters/{id}')[0].params.id).toBe(
      message(1).id,
    );
  });

  it('keeps what was typed into one field while another is typed into', async () => {
    has(3);
    await tab();
    await screen.findByText('m-0');
    await userEvent.type(screen.getByRole('searchbox'), 'a');
    await userEvent.type(screen.getByPlaceholderText('exact name'), 'b');
    await waitFor(() =>
      expect(pages().at(-1)).toMatchObject({ find: 'a', queue: 'b' }),
    );
  });

  it('restores some of what was deleted', async () => {
    has(3);
    await tab({ at: '/?status=deleted' });
    await screen.findByText('m-0');
    const restore = () => screen.getByRole('button', { name: 'Restore' });
    expect(restore()).toBeDisabled();
    expect(screen.queryByRole('button', { name: 'Redeliver' })).toBeNull();
    await userEvent.click(screen.getAllByRole('checkbox')[1]);
    await userEvent.click(restore());
    await waitFor(() =>
      expect(service.askedFor('POST /operations/plan')[0].body).toEqual({
        kind: 'restore',
        ids: [message(0).id],
      }),
    );
  });

  it('lets nothing be chosen where all statuses are listed, and says why', async () => {
    has(3);
    await tab({ at: '/?status=any' });
    await screen.findByText('m-0');
    expect(screen.queryByRole('checkbox')).toBeNull();
    expect(screen.getByRole('button', { name: 'Redeliver' })).toBeDisabled();
    expect(screen.getByText(/select one status/)).toBeInTheDocument();
  });

  it('sends once more all that was redelivered before', async () => {
    has(3);
    await tab({ at: '/?status=redelivered' });
    await screen.findByText('m-0');
    await userEvent.click(screen.getByRole('button', { name: /^Select all/ }));
    await userEvent.click(
      screen.getByRole('button', { name: 'Redeliver again' }),
    );
    await userEvent.click(await screen.findByRole('switch'));
    await waitFor(() =>
      expect(
        service.askedFor('POST /operations/plan').at(-1)?.body,
      ).toMatchObject({
        kind: 'redeliver',
        again: true,
        filter: { service: 'webshop', status: 'redelivered' },
      }),
    );
  });

  it('tells of new ones before it shows them', async () => {
    jest.useFakeTimers({ advanceTimers: true });
    has(2);
    await tab();
    await screen.findByText('m-0');
    const newest = { ...message(0), id: message(-5).id, messageId: 'newer' };
    service.answer('GET /dead-letters', ({ query }: any) => ({
      messages: [newest, message(0), message(1)].slice(0, Number(query.limit)),
      total: { value: query.from ? 1 : 3, relation: 'eq' },
      nextCursor: null,
      prevCursor: null,
    }));
    jest.advanceTimersByTime(11_000);
    expect(await screen.findByText(/1 new dead letter since/)).toBeVisible();
    expect(screen.queryByText('newer')).not.toBeInTheDocument();
    await userEvent
      .setup({ advanceTimers: jest.advanceTimersByTime })
      .click(screen.getByRole('button', { name: 'Show' }));
    expect(await screen.findByText('newer')).toBeInTheDocument();
    expect(screen.queryByText(/new dead letter since/)).not.toBeInTheDocument();
    jest.useRealTimers();
  });

  it('says what is wrong with a filter', async () => {
    service.answer('GET /dead-letters', () => {
      throw new Refusal(400, 'InputError', 'from: must be a time');
    });
    await tab({ at: '/?from=yesterday' });
    expect(await screen.findByText(/from: must be a time/)).toBeInTheDocument();
    expect(screen.getByText('Clear filters')).toBeInTheDocument();
  });

  it('is not shown to who may not see it', async () => {
    // Backstage remembers what it was told of an entity.
    await tab({
      entity: component('hidden'),
      denied: ['dead-letter.message.read'],
    });
    expect(
      await screen.findByText('You do not have access to these dead letters'),
    ).toBeInTheDocument();
    expect(service.asked.map(({ path }) => path)).toEqual(['/me']);
  });

  it('says that there may be nothing to see, and what keeps one from acting', async () => {
    has(3);
    service.answer('GET /me', may({ read: ['billing'], delete: [] }));
    await tab();
    expect(
      await screen.findByText(/webshop has had no dead letters, or you do not/),
    ).toBeInTheDocument();
    expect(
      await screen.findByText(/permission to delete .*message\.delete/),
    ).toBeInTheDocument();
    expect(screen.getByRole('button', { name: 'Delete' })).toBeDisabled();
    expect(await violations()).toEqual([]);
  });
});

describe('a component that is several services', () => {
  const shop = component('shop', {
    'dead-letter/service-name': 'webshop, basket',
  });

  it('shows the one that the address names, and lets another be chosen', async () => {
    has(3);
    await tab({ entity: shop, at: '/?env=demo&service=basket&find=card' });
    await waitFor(() =>
      expect(pages()[0]).toMatchObject({ service: 'basket', find: 'card' }),
    );
    await userEvent.click(
      await screen.findByRole('button', { name: /^basket Service/ }),
    );
    await userEvent.click(
      await screen.findByRole('option', { name: 'webshop' }),
    );
    // What was looked for in the one is not looked for in the other.
    await waitFor(() => {
      const last = pages()[pages().length - 1];
      expect(last.service).toBe('webshop');
      expect(last.find).toBeUndefined();
    });
    expect(await violations()).toEqual([]);
  });

  it('shows the first one where the address names none of its own', async () => {
    has(3);
    await tab({ entity: shop, at: '/?env=demo&service=billing' });
    expect(await screen.findByText('m-0')).toBeInTheDocument();
    expect(pages()[0].service).toBe('webshop');
  });

  it('says that it is none, and asks nothing', async () => {
    await tab({
      entity: component('tool', { 'dead-letter/service-name': '' }),
    });
    expect(
      await screen.findByText('This component is no service of dead-letter'),
    ).toBeInTheDocument();
    expect(service.asked).toEqual([]);
  });
});

describe('ServicePage', () => {
  it('shows a service that the catalog does not have, and acts on it', async () => {
    has(3);
    await show(<ServicePage />, { at: '/?env=demo&service=ghost' });
    expect(await screen.findByText('m-0')).toBeInTheDocument();
    expect(screen.getByText('ghost')).toBeInTheDocument();
    expect(screen.getByText('Not in the catalog')).toBeInTheDocument();
    expect(pages()[0].service).toBe('ghost');
    await userEvent.click(screen.getAllByRole('checkbox')[1]);
    expect(screen.getByRole('button', { name: 'Redeliver' })).toBeEnabled();
    expect(await violations()).toEqual([]);
  });

  it('asks for the permission of its component', async () => {
    has(3);
    await show(<ServicePage />, {
      at: '/?env=demo&service=secret',
      denied: ['dead-letter.message.read'],
    });
    expect(
      await screen.findByText('You do not have access to these dead letters'),
    ).toBeInTheDocument();
    expect(searches()).toEqual([]);
  });
});
