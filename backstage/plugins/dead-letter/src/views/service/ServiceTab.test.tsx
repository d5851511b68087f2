import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { FakeService, Refusal } from '../../testing/FakeService';
import { violations } from '../../testing/axe';
import { exampleOf, openApi } from '../../testing/document';
import { Shown, component, show } from '../../testing/render';
import { anOperation } from '../operations/examples';
import { ServicePage } from './ServicePage';
import { ServiceTab } from './ServiceTab';

const service = FakeService.forTests();
const OPERATIONS = 'GET /operations';
const OVERVIEW = 'GET /dead-letters/service-overview';
const example: any = exampleOf(openApi.components.schemas.DeadLetteredMessage);

/** The n-th of many, the newest first. */
function message(n: number) {
  const id = `01938c2e-7b1a-7c3e-9d5f-${(1_000_000 - n)
    .toString()
    .padStart(12, '0')}`;
  return { ...example, id, messageId: `m-${n}` };
}

/** Pages of fifty, of so many. */
function has(count: number) {
  service.answer('GET /dead-letters', ({ query }: any) => {
    const begin = Number(query.cursor ?? 0);
    const limit = Number(query.limit ?? 50);
    const rows = Math.max(0, Math.min(limit, count - begin));
    return {
      messages: Array.from({ length: rows }, (_, row) => message(begin + row)),
      total: { value: count, relation: 'eq' },
      nextCursor: begin + limit < count ? String(begin + limit) : null,
      prevCursor: begin > 0 ? String(begin - limit) : null,
    };
  });
}

/** An operation as in a list. */
function listed(changes: Parameters<typeof anOperation>[0]) {
  const { edit, events, returns, ...operation } = anOperation(changes);
  return operation;
}

function tab(shown: Shown = {}) {
  return show(<ServiceTab />, { entity: component('webshop'), ...shown });
}

const searches = () =>
  service.askedFor('GET /dead-letters').map(({ query }) => query);
/** A page's, and not those that look for new arrivals. */
const pages = () => searches().filter(({ limit }) => limit !== '1');

const lastDay = (died: number, deleted = 0, redelivered = 0) => ({
  service: 'webshop',
  squad: 'checkout',
  count: 0,
  oldest: null,
  newest: null,
  trend: { lastHour: 0, dayBefore: 0 },
  lastDay: { died, deleted, redelivered },
});

beforeEach(() => {
  sessionStorage.clear();
  service.answer(OPERATIONS, { operations: [], nextCursor: null });
});

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
    await userEvent.click(screen.getByText('Clear the filters'));
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

  it('acts on nothing but what is dead', async () => {
    has(3);
    await tab({ at: '/?status=deleted' });
    await screen.findByText('m-0');
    await userEvent.click(screen.getAllByRole('checkbox')[1]);
    expect(screen.getByRole('button', { name: 'Redeliver' })).toBeDisabled();
    expect(screen.getByText(/Only what is dead/)).toBeInTheDocument();
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

  it('says what is known where nothing waits, and shows that', async () => {
    has(0);
    service.answer(OVERVIEW, [lastDay(249, 249)]);
    await tab();
    expect(await screen.findByText('Nothing waits here')).toBeInTheDocument();
    expect(
      await screen.findByText(
        'Last 24 h: 249 died, 249 deleted, 0 redelivered.',
      ),
    ).toBeInTheDocument();
    expect(screen.queryByText(/handled|all good/)).toBeNull();
    expect(document.querySelector('[data-icon=nothing]')).not.toBeNull();
    expect(await violations()).toEqual([]);
    await userEvent.click(screen.getByRole('button', { name: 'Show them' }));
    await waitFor(() =>
      expect(pages().at(-1)).toMatchObject({ status: 'any' }),
    );
    expect(Date.now() - Date.parse(pages().at(-1)!.from)).toBeLessThan(
      24 * 3_600_000 + 60_000,
    );
  });

  it('says that nothing has died where nothing has', async () => {
    has(0);
    service.answer(OVERVIEW, []);
    await tab();
    expect(
      await screen.findByText('Nothing has died in the last 24 hours.'),
    ).toBeInTheDocument();
    expect(screen.queryByRole('button', { name: 'Show them' })).toBeNull();
  });

  it('offers to clear a filter that nothing matches', async () => {
    has(0);
    await tab({ at: '/?queue=q' });
    const empty = await screen.findByText('Nothing matches these filters');
    expect(document.querySelector('[data-icon=filtered]')).not.toBeNull();
    await userEvent.click(
      within(empty.parentElement!).getByText('Clear the filters'),
    );
    expect(await screen.findByText('Nothing waits here')).toBeInTheDocument();
  });

  it('says where it looked when it found nothing', async () => {
    has(0);
    await tab({ at: '/?env=demo&find=ada%40example.com' });
    expect(
      screen.getByPlaceholderText('id, or text in error, body or header'),
    ).toHaveValue('ada@example.com');
    expect(
      await screen.findByText(
        'Looked for “ada@example.com” in ids, errors, bodies and headers of the waiting dead letters of webshop that match the other filters.',
      ),
    ).toBeInTheDocument();
    expect(
      screen.getByRole('link', { name: 'Search all services' }),
    ).toHaveAttribute(
      'href',
      '/dead-letter/search?env=demo&find=ada%40example.com',
    );
    expect(await violations()).toEqual([]);
    await userEvent.click(
      screen.getByRole('button', { name: 'Search in all statuses' }),
    );
    await waitFor(() =>
      expect(pages().at(-1)).toMatchObject({
        find: 'ada@example.com',
        status: 'any',
      }),
    );
  });

  it('counts what is left, marks what has left, and moves no row', async () => {
    jest.useFakeTimers({ advanceTimers: true });
    has(3);
    await tab();
    await screen.findByText('m-2');
    const user = userEvent.setup({ advanceTimers: jest.advanceTimersByTime });
    const boxes = screen.getAllByRole('checkbox');
    await user.click(boxes[1]);
    await user.click(boxes[2]);
    expect(await screen.findByText('2 selected')).toBeInTheDocument();
    const left = [message(1), message(2)];
    service.answer('GET /dead-letters', ({ query }: any) => ({
      messages: left.slice(0, Number(query.limit)),
      total: { value: 2, relation: 'eq' },
      nextCursor: null,
      prevCursor: null,
    }));
    jest.advanceTimersByTime(16_000);
    expect(await screen.findByText('1 of these has left')).toBeInTheDocument();
    expect(await screen.findByText('2 dead letters')).toBeInTheDocument();
    expect(screen.getByText('1 selected')).toBeInTheDocument();
    expect(screen.getByText('Select all 2 that match')).toBeInTheDocument();
    const row = screen.getByText('m-0').closest<HTMLElement>('[role=row]')!;
    expect(within(row).getByText('no longer dead')).toBeInTheDocument();
    expect(screen.getAllByText('no longer dead')).toHaveLength(1);
    await user.click(screen.getByRole('button', { name: 'Refresh' }));
    await waitFor(() => expect(screen.queryByText('m-0')).toBeNull());
    expect(screen.getByText('m-1')).toBeInTheDocument();
    expect(screen.queryByText(/has left/)).toBeNull();
    jest.useRealTimers();
  });

  it('marks what died again, and finds it', async () => {
    service.answer('GET /dead-letters', {
      messages: [
        { ...message(0), redeliveries: 2, redeliveryId: message(9).id },
        message(1),
      ],
      total: { value: 2, relation: 'eq' },
      nextCursor: null,
      prevCursor: null,
    });
    await tab();
    expect(await screen.findByText('died again ×2')).toBeInTheDocument();
    expect(screen.getAllByText(/^died again/)).toHaveLength(1);
    await userEvent.click(screen.getByRole('button', { name: /Returns/ }));
    await userEvent.click(
      screen.getByRole('option', { name: 'Died again after a redelivery' }),
    );
    await waitFor(() => expect(pages().at(-1)!.returned).toBe('true'));
  });

  it('shows the operations of everybody, paused ones too', async () => {
    has(3);
    service.answer(OPERATIONS, ({ query }: any) => ({
      operations: query.state ? [listed({ state: 'paused' })] : [],
      nextCursor: null,
    }));
    await tab();
    const card = await screen.findByRole('article', { name: 'Redelivery' });
    expect(within(card).getByText('Paused')).toBeInTheDocument();
    expect(card).toHaveTextContent('Started by user:default/guest');
    expect(
      within(card).getByRole('button', { name: 'Resume' }),
    ).toBeInTheDocument();
    expect(service.askedFor(OPERATIONS).every(each => each.query.service)).toBe(
      true,
    );
    expect(await violations()).toEqual([]);
  });

  it('keeps one that went wrong in sight until it is dismissed', async () => {
    has(3);
    service.answer(OPERATIONS, ({ query }: any) => ({
      operations: query.state
        ? []
        : [
            listed({
              state: 'completed',
              verdict: 'failed',
              verdictText: '3 sent, all 3 died again: PaymentDeclined.',
              endedAt: new Date().toISOString(),
              remaining: 0,
              outcomes: { sent: 0, returned: 3 },
            }),
            listed({
              id: message(7).id,
              state: 'completed',
              verdict: 'completed',
              verdictText: 'that went well',
              endedAt: new Date().toISOString(),
              remaining: 0,
            }),
          ],
      nextCursor: null,
    }));
    await tab();
    expect(
      await screen.findByText('3 sent, all 3 died again: PaymentDeclined.'),
    ).toBeInTheDocument();
    expect(screen.queryByText('that went well')).toBeNull();
    await userEvent.click(screen.getByRole('button', { name: 'Dismiss' }));
    expect(screen.queryByText(/all 3 died again/)).toBeNull();
  });

  it('lets a group be resolved that has no dead letters now', async () => {
    has(0);
    const group = exampleOf(openApi.components.schemas.ErrorGroupDetails) as {};
    service.answer('GET /dead-letters/error-groups/{id}', {
      ...group,
      title: 'card issuer timed out',
      state: 'ongoing',
    });
    await tab({ at: `/?errorGroup=${message(0).id}` });
    await userEvent.click(
      await screen.findByRole('button', {
        name: 'What to do with: card issuer timed out',
      }),
    );
    await userEvent.click(screen.getByRole('menuitem', { name: 'Resolve' }));
    await waitFor(() =>
      expect(
        service.askedFor('PATCH /dead-letters/error-groups/{id}')[0].body,
      ).toEqual({ action: 'resolve' }),
    );
  });

  it('has the groups of the status that is shown, and those without any', async () => {
    has(3);
    await tab({ at: '/?status=any' });
    await screen.findByText('m-0');
    expect(
      service.askedFor('GET /dead-letters/error-groups')[0].query,
    ).toMatchObject({ service: 'webshop', status: 'any' });
  });

  it('says what is wrong with a filter', async () => {
    service.answer('GET /dead-letters', () => {
      throw new Refusal(400, 'InputError', 'from: must be a time');
    });
    await tab({ at: '/?from=yesterday' });
    expect(await screen.findByText(/from: must be a time/)).toBeInTheDocument();
    expect(screen.getByText('Clear the filters')).toBeInTheDocument();
  });

  it('is not shown to who may not see it', async () => {
    // Backstage remembers what it was told of an entity.
    await tab({
      entity: component('hidden'),
      denied: ['dead-letter.message.read'],
    });
    expect(
      await screen.findByText('You may not see these dead letters'),
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
      await screen.findByText('You may not see these dead letters'),
    ).toBeInTheDocument();
    expect(searches()).toEqual([]);
  });
});
