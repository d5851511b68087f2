import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { FakeService, Refusal, may } from '../../testing/FakeService';
import { violations } from '../../testing/axe';
import { Shown, show } from '../../testing/render';
import { IncidentsPage } from './IncidentsPage';

const service = FakeService.forTests();
const LIST = 'GET /incidents';
const ONE = 'GET /incidents/{id}';
const TEST = 'POST /notifications/test';
const ID = '0199d3c1-3c1e-7f6e-8a54-2f4b8c1d9e01';
const GROUP = '03bfd559-2582-81db-9da5-e2566c3c3179';
const OTHER = '13bfd559-2582-81db-9da5-e2566c3c3179';
const OPERATION = '0199d3c1-3c20-7b02-9a11-6d5e4f3c2b1a';

function incident(more = {}) {
  return {
    id: ID,
    kind: 'newErrorGroup',
    severity: 'warning',
    squad: 'checkout',
    services: ['webshop'],
    title: 'New error in webshop: PaymentDeclined',
    openedAt: '2026-11-24T03:12:00Z',
    resolvedAt: null,
    resolution: null,
    dead: 43_000,
    operationId: null,
    errorGroup: GROUP,
    ...more,
  };
}

function notification(number: number, more = {}) {
  return {
    id: `0199d3c1-3c20-7b02-9a11-00000000000${number}`,
    event: 'opened',
    channel: `channel-${number}`,
    state: 'sent',
    createdAt: '2026-11-24T03:12:00Z',
    dueAt: '2026-11-24T07:00:00Z',
    held: false,
    attempts: 1,
    lastError: null,
    endedAt: '2026-11-24T03:12:01Z',
    ...more,
  };
}

function details(notifications: object[], more = {}) {
  return {
    ...incident(),
    text: '43,000 dead letters of webshop are dead now.\nAssigned to user:default/ada.',
    errorGroups: [GROUP, OTHER],
    notifications,
    ...more,
  };
}

function answer(...incidents: object[]) {
  service.answer(LIST, { incidents, nextCursor: null });
}

const page = (more: Shown = {}) =>
  show(<IncidentsPage />, { at: '/?env=demo', ...more });

describe('IncidentsPage', () => {
  it('lists open incidents, each with what it is, since when, and the way there', async () => {
    answer(
      incident(),
      incident({
        id: OPERATION,
        kind: 'operationPaused',
        title: 'An operation on webshop paused itself',
        severity: 'critical',
        errorGroup: null,
        operationId: OPERATION,
        dead: 0,
      }),
    );
    await page();
    const first = within(
      await screen.findByRole('article', { name: /New error in webshop/ }),
    );
    expect(first.getByText('Warning')).toBeInTheDocument();
    expect(first.getByText('43,000 dead letters')).toBeInTheDocument();
    expect(first.getByRole('link', { name: 'Error group' })).toHaveAttribute(
      'href',
      `/dead-letter/group?env=demo&id=${GROUP}`,
    );
    const second = within(screen.getByRole('article', { name: /paused/ }));
    expect(second.getByText('Critical')).toBeInTheDocument();
    expect(second.getByRole('link', { name: 'Operation' })).toHaveAttribute(
      'href',
      `/dead-letter/operations?env=demo&operation=${OPERATION}`,
    );
    // Whoever is elsewhere sees that there are some.
    expect(
      await screen.findByRole('link', { name: 'Incidents (2 open)' }),
    ).toBeInTheDocument();
    expect(
      service.askedFor(LIST).every(({ query }) => query.state === 'open'),
    ).toBe(true);
    expect(await violations()).toEqual([]);
  });

  it('says who was told by which channel and when, or why not', async () => {
    answer(incident());
    service.answer(
      ONE,
      details([
        notification(1),
        notification(2, { state: 'pending', held: true, endedAt: null }),
        notification(3, {
          state: 'failed',
          attempts: 17,
          lastError: 'the receiver answered 503',
        }),
        notification(4, {
          state: 'dropped',
          lastError: 'the incident was over before',
        }),
      ]),
    );
    await page();
    await userEvent.click(
      await screen.findByRole('button', { name: 'Who was told' }),
    );
    const told = within(
      await screen.findByRole('list', { name: 'Who was told' }),
    );
    expect(told.getByText('channel-1')).toBeInTheDocument();
    expect(told.getByText(/that it began: told at/)).toBeInTheDocument();
    expect(told.getByText(/waits for the end of quiet/)).toBeInTheDocument();
    expect(told.getByText(/given up at/)).toBeInTheDocument();
    expect(
      told.getByText('17 attempts: the receiver answered 503'),
    ).toBeInTheDocument();
    expect(
      told.getByText(/not told: the incident was over before/),
    ).toBeInTheDocument();
    expect(screen.getByText(/Assigned to user:default/)).toBeInTheDocument();
    expect(
      screen.getByRole('link', { name: /^Error group .+/ }),
    ).toHaveAttribute('href', `/dead-letter/group?env=demo&id=${OTHER}`);
    expect(await violations()).toEqual([]);
    await userEvent.click(screen.getByRole('button', { name: 'Hide' }));
    expect(screen.queryByRole('list', { name: 'Who was told' })).toBeNull();
  });

  it('says where nobody was told', async () => {
    answer(incident());
    service.answer(ONE, details([]));
    await page({ at: `/?env=demo&incident=${ID}` });
    expect(await screen.findByText(/Nobody was told/)).toBeInTheDocument();
  });

  it('shows past incidents, and those of a squad', async () => {
    service.answer(LIST, ({ query }: any) => ({
      incidents:
        query.state === 'resolved'
          ? [
              incident({
                resolvedAt: '2026-11-24T04:00:00Z',
                resolution: 'marked as resolved',
              }),
            ]
          : [],
      nextCursor: null,
    }));
    await page({ at: '/?env=demo&squad=checkout' });
    expect(await screen.findByText('No open incidents')).toBeInTheDocument();
    await userEvent.click(screen.getByRole('radio', { name: 'Past' }));
    expect(
      await screen.findByText('Over: marked as resolved'),
    ).toBeInTheDocument();
    expect(service.askedFor(LIST).at(-1)!.query).toMatchObject({
      state: 'resolved',
      squad: 'checkout',
    });
  });

  it('sends a test notification, and shows what became of it', async () => {
    answer(incident());
    service.answer(TEST, details([notification(1)]));
    service.answer(ONE, details([notification(1)]));
    await page();
    await userEvent.click(
      await screen.findByRole('button', { name: 'Send a test …' }),
    );
    const dialog = within(await screen.findByRole('dialog'));
    expect(dialog.getByRole('button', { name: 'Send' })).toBeDisabled();
    await userEvent.type(
      dialog.getByRole('textbox', { name: 'Squad' }),
      'checkout{Enter}',
    );
    await waitFor(() =>
      expect(service.askedFor(TEST)[0].body).toEqual({ squad: 'checkout' }),
    );
    expect(
      await screen.findByRole('list', { name: 'Who was told' }),
    ).toBeInTheDocument();
  });

  it('offers no test to who may not', async () => {
    service.answer('GET /me', may({ admin: [] }));
    answer(incident());
    await page();
    expect(
      await screen.findByRole('article', { name: /New error/ }),
    ).toBeInTheDocument();
    expect(screen.queryByRole('button', { name: 'Send a test …' })).toBeNull();
  });

  it('says what is wrong', async () => {
    service.answer(LIST, () => {
      throw new Refusal(400, 'InputError', 'squad: no such squad');
    });
    await page();
    expect(await screen.findByText(/no such squad/)).toBeInTheDocument();
  });
});
