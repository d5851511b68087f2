import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { FakeService, may } from '../../testing/FakeService';
import { violations } from '../../testing/axe';
import { component, show } from '../../testing/render';
import { anOperation } from './examples';
import { OperationsPage } from './OperationsPage';

const service = FakeService.forTests();
const ID = anOperation().id;

function list(...operations: ReturnType<typeof anOperation>[]) {
  service.answer('GET /operations', () => ({
    operations: operations.map(({ edit, events, returns, ...each }) => each),
    nextCursor: null,
  }));
}

async function press(name: string | RegExp) {
  await userEvent.click(await screen.findByRole('button', { name }));
}

describe('OperationsPage', () => {
  it('says that there are none', async () => {
    list();
    await show(<OperationsPage />);
    expect(await screen.findByText('No operations yet')).toBeInTheDocument();
    expect(await violations()).toEqual([]);
  });

  it('lists what runs, and what ran', async () => {
    list(
      anOperation(),
      anOperation({
        id: '01938c2e-7b1a-7c3e-9d5f-2a4b6c8d0e22',
        kind: 'delete',
        state: 'completed',
        total: 12,
        remaining: 0,
        selection: { ids: Array(12).fill(ID) } as never,
        outcomes: { sent: 0, deleted: 10, refused: 2 },
      }),
    );
    await show(<OperationsPage />);
    const running = await screen.findByRole('article', { name: 'Redelivery' });
    expect(
      within(running).getByText('all dead letters of webshop', {
        exact: false,
      }),
    ).toBeInTheDocument();
    expect(within(running).getByText(/498\.2 a second/)).toBeInTheDocument();
    const row = await screen.findByRole('row', { name: /Deletion/ });
    expect(
      within(row).getByText('12 selected messages (webshop)'),
    ).toBeInTheDocument();
    expect(within(row).getByText('2 refused')).toBeInTheDocument();
    expect(await violations()).toEqual([]);
  });

  it('says what one waits for that waits on purpose', async () => {
    const waitingFor = 'queue q has 10,212 messages ready (limit 10,000)';
    list(
      anOperation({
        state: 'waiting',
        waitingFor,
        verdictText: `Waiting: ${waitingFor}. Continues by itself.`,
        progress: { perSecond: 0.1, etaSeconds: null },
      }),
    );
    await show(<OperationsPage />);
    const card = await screen.findByRole('article', { name: 'Redelivery' });
    expect(within(card).getByText('Waiting')).toBeInTheDocument();
    expect(within(card).getByRole('status')).toHaveTextContent(
      /^Waiting: queue q has 10,212 messages ready/,
    );
    expect(card).not.toHaveTextContent(/a second/);
    expect(
      within(card).getByRole('button', { name: 'Pause' }),
    ).toBeInTheDocument();
    expect(await violations()).toEqual([]);
  });

  it('pauses one that runs', async () => {
    list(anOperation());
    service.answer('POST /operations/{id}/pause', () =>
      anOperation({ state: 'paused' }),
    );
    await show(<OperationsPage />);
    await press('Pause');
    await waitFor(() =>
      expect(service.askedFor('POST /operations/{id}/pause')).toHaveLength(1),
    );
  });

  it('approves one that waits for a second person', async () => {
    list(anOperation({ state: 'paused', awaitsApproval: true }));
    service.answer('POST /operations/{id}/resume', () => anOperation());
    await show(<OperationsPage />);
    expect(
      await screen.findByText('Waits for a second person to approve it'),
    ).toBeVisible();
    await press('Approve');
    await waitFor(() =>
      expect(service.askedFor('POST /operations/{id}/resume')).toHaveLength(1),
    );
  });

  it('cancels only what is confirmed', async () => {
    list(anOperation());
    service.answer('POST /operations/{id}/cancel', () =>
      anOperation({ state: 'cancelling' }),
    );
    await show(<OperationsPage />);
    await press('Cancel');
    expect(
      await screen.findByText(
        /Cancel this redelivery\? 20,000 messages stay dead/,
      ),
    ).toBeVisible();
    expect(screen.getByRole('button', { name: 'Keep running' })).toHaveFocus();
    expect(service.askedFor('POST /operations/{id}/cancel')).toEqual([]);
    await press('Cancel redelivery');
    await waitFor(() =>
      expect(service.askedFor('POST /operations/{id}/cancel')).toHaveLength(1),
    );
  });

  it('sets the rate by Enter, in a form of its own', async () => {
    list(anOperation({ id: ID, rate: 500 }));
    service.answer('PATCH /operations/{id}', () => anOperation({ rate: 50 }));
    await show(<OperationsPage />);
    await press('Rate');
    const form = screen.getByRole('form', { name: 'Rate' });
    const field = within(form).getByRole('textbox');
    expect(field).toHaveFocus();
    await userEvent.clear(field);
    await userEvent.type(field, '50{Enter}');
    await waitFor(() =>
      expect(service.askedFor('PATCH /operations/{id}')[0].body).toEqual({
        rate: 50,
      }),
    );
  });

  it('lists those that are asked for: by kind, state, person and time', async () => {
    list();
    await show(<OperationsPage />, {
      at: `/?env=demo&kind=delete&state=paused&requestedBy=ada&since=shift&errorGroup=${ID}`,
    });
    expect(
      await screen.findByText('No operations match these filters'),
    ).toBeInTheDocument();
    const asked = service
      .askedFor('GET /operations')
      .map(({ query }) => query)
      .find(({ errorGroup }) => errorGroup === ID)!;
    expect(asked).toMatchObject({
      kind: 'delete',
      state: 'paused',
      requestedBy: 'ada',
    });
    const hours = (Date.now() - Date.parse(asked.from)) / 3_600_000;
    expect(hours).toBeGreaterThan(7.9);
    expect(hours).toBeLessThan(8.1);
    expect(await violations()).toEqual([]);
    await press('Clear filters');
    await waitFor(() => {
      const { query } = service.askedFor('GET /operations').at(-1)!;
      expect(query).toEqual({ errorGroup: ID, limit: '25' });
    });
  });

  it('lets nobody steer without the permission', async () => {
    list(anOperation({ services: ['billing'] }));
    await show(<OperationsPage />, {
      denied: ['dead-letter.message.redeliver'],
    });
    expect(
      await screen.findByText(/do not have permission to pause or cancel/),
    ).toBeInTheDocument();
    expect(screen.queryByRole('button', { name: 'Pause' })).toBeNull();
  });

  describe('where no service was selected', () => {
    const services = ['billing', 'statements'];
    const selection = { filter: { squad: 'finance' } } as never;

    it('lets those steer who may on each of the services', async () => {
      list(anOperation({ selection, services }));
      service.answer('GET /me', may({ redeliver: services }));
      await show(<OperationsPage />);
      const pause = await screen.findByRole('button', { name: 'Pause' });
      await waitFor(() => expect(pause).toBeEnabled());
    });

    it('lets nobody steer who may on some of them', async () => {
      list(anOperation({ selection, services }));
      service.answer('GET /me', may({ redeliver: ['billing'] }));
      await show(<OperationsPage />);
      expect(
        await screen.findByText(/do not have permission to pause or cancel/),
      ).toBeInTheDocument();
      expect(screen.queryByRole('button', { name: 'Pause' })).toBeNull();
    });
  });

  it('shows nothing to who may read nothing', async () => {
    list(anOperation());
    service.answer('GET /me', may({ read: [] }));
    await show(<OperationsPage />);
    expect(
      await screen.findByText(/required for at least one service/),
    ).toBeInTheDocument();
    expect(screen.queryByRole('article')).toBeNull();
    expect(await violations()).toEqual([]);
  });

  it('shows the operation that the address names', async () => {
    list(anOperation({ state: 'paused' }));
    service.answer('GET /operations/{id}', () =>
      anOperation({
        state: 'paused',
        canary: [1, 10],
        lastError: 'Paused by the canary: 1 of 1 died again (limit 0 %)',
        verdictText:
          'Paused by the canary: 1 of 1 died again (limit 0 %). 1 sent, and it died again.',
        outcomes: { sent: 0, returned: 1 },
        events: [
          {
            at: '2026-11-24T03:13:00Z',
            by: 'dead-letter',
            action: 'canary',
            detail: '1 of 1 died again',
          },
        ],
        returns: [
          {
            errorGroup: ID,
            errorType: 'PaymentDeclined',
            title: 'no such card',
            count: 1,
            soonestSeconds: 0.4,
            medianSeconds: 1.5,
            latestSeconds: 2,
          },
        ],
      }),
    );
    await show(<OperationsPage />, { at: `/?env=demo&operation=${ID}` });
    const dialog = await screen.findByRole('dialog', { name: 'Redelivery' });
    const inDialog = within(dialog);
    expect(
      inDialog.getByText(/Paused by the canary: 1 of 1/),
    ).toBeInTheDocument();
    expect(inDialog.getByText(/no such card/)).toBeInTheDocument();
    expect(inDialog.getByText(/checked the canary/)).toBeInTheDocument();
    await userEvent.click(
      await inDialog.findByRole('radio', { name: 'Died again 1' }),
    );
    await waitFor(() =>
      expect(
        service.askedFor('GET /operations/{id}/items').at(-1)!.query,
      ).toMatchObject({ outcome: 'returned' }),
    );
    expect(await violations()).toEqual([]);
  });

  it('leads from an operation to its messages, and to those that came back', async () => {
    const later = '01938c2e-7b1a-7c3e-9d5f-2a4b6c8d0e99';
    list();
    service.answer('GET /operations/{id}', () =>
      anOperation({
        state: 'completed',
        verdict: 'failed',
        remaining: 0,
        outcomes: { sent: 0, returned: 3 },
        returns: [
          {
            errorGroup: ID,
            errorType: 'PaymentDeclined',
            title: 'no such card',
            count: 3,
            soonestSeconds: 0.4,
            medianSeconds: 1.5,
            latestSeconds: 2,
          },
        ],
      }),
    );
    service.answer('GET /operations/{id}/items', {
      items: [
        {
          deadLetterId: ID,
          outcome: 'returned',
          detail: null,
          redeliveryId: ID,
          settledAt: '2026-11-24T03:13:00Z',
          returnedAs: later,
        },
      ],
      nextCursor: null,
    });
    await show(<OperationsPage />, {
      at: `/?env=demo&operation=${ID}`,
      catalog: [component('webshop')],
    });
    expect(
      await screen.findByRole('link', {
        name: 'Show the messages that died again in webshop',
      }),
    ).toHaveAttribute(
      'href',
      '/catalog/default/component/webshop/dead-letters?env=demo&returnedFrom=01938c2e-7b1a-7c3e-9d5f-2a4b6c8d0e1f',
    );
    expect(
      screen.getByRole('link', { name: 'PaymentDeclined: no such card' }),
    ).toHaveAttribute('href', `/dead-letter/group?env=demo&id=${ID}`);
    const again = screen.getByRole('group', {
      name: 'Redeliver or delete those that died again',
    });
    await userEvent.click(
      within(again).getByRole('button', { name: 'Redeliver' }),
    );
    await waitFor(() =>
      expect(service.askedFor('POST /operations/plan')[0].body.filter).toEqual({
        returnedFrom: ID,
      }),
    );
    await userEvent.keyboard('{Escape}');
    expect(screen.getByRole('link', { name: '…6c8d0e1f' })).toHaveAttribute(
      'href',
      `/dead-letter/search?env=demo&message=${ID}`,
    );
    expect(screen.getByRole('link', { name: /now …/ })).toHaveAttribute(
      'href',
      `/dead-letter/search?env=demo&message=${later}`,
    );
  });

  it.each([
    ['watching', 'Watching for returns'],
    ['completed', 'Completed'],
    ['completedWithProblems', 'Completed with problems'],
    ['failed', 'Failed'],
  ] as const)('says of one that is %s: %s', async (verdict, said) => {
    list(anOperation({ state: 'completed', verdict, remaining: 0 }));
    await show(<OperationsPage />);
    const row = await screen.findByRole('row', { name: /Redelivery/ });
    expect(within(row).getByText(said)).toBeInTheDocument();
  });

  it('has the bar of a cancelled one at what was sent', async () => {
    list(
      anOperation({
        state: 'cancelled',
        verdict: 'completedWithProblems',
        total: 4_009,
        remaining: 0,
        notDone: 2_529,
        outcomes: { sent: 1_480, skipped: 2_529 },
      }),
    );
    await show(<OperationsPage />);
    const row = await screen.findByRole('row', { name: /Redelivery/ });
    expect(within(row).getByText('Cancelled')).toBeInTheDocument();
    expect(within(row).getByRole('progressbar')).toHaveAttribute(
      'aria-valuetext',
      '1,480 of 4,009',
    );
    expect(
      within(row).getByText('2,529 not sent (still dead)'),
    ).toBeInTheDocument();
    expect(within(row).queryByText(/skipped/)).toBeNull();
  });

  it('sets paused ones apart, and counts them at the tab', async () => {
    list(anOperation({ state: 'paused' }));
    await show(<OperationsPage />);
    expect(
      await screen.findByRole('heading', { name: 'Paused' }),
    ).toBeInTheDocument();
    expect(screen.queryByRole('heading', { name: 'Running' })).toBeNull();
    expect(
      screen.getByText(/Started by user:default\/guest/),
    ).toBeInTheDocument();
    expect(
      await screen.findByText('Operations (1 paused)'),
    ).toBeInTheDocument();
    expect(
      service
        .askedFor('GET /operations')
        .some(({ query }) => query.state === 'paused'),
    ).toBe(true);
  });

  it('lists those of one service, where the address says so', async () => {
    list(anOperation());
    await show(<OperationsPage />, { at: '/?service=webshop' });
    await screen.findByRole('article', { name: 'Redelivery' });
    const asked = () =>
      service
        .askedFor('GET /operations')
        .filter(({ query }) => query.limit === '25')
        .at(-1)!.query;
    expect(asked().service).toBe('webshop');
    await userEvent.click(
      within(screen.getByRole('row', { name: 'service' })).getByRole('button'),
    );
    await waitFor(() => expect(asked().service).toBeUndefined());
  });

  it('undoes a deletion once it is said what that does', async () => {
    const deletion = anOperation({
      kind: 'delete',
      state: 'completed',
      remaining: 0,
      outcomes: { sent: 0, deleted: 43_695 },
    });
    list(deletion);
    service.answer('GET /operations/{id}', deletion);
    await show(<OperationsPage />, { at: `/?operation=${ID}` });
    await press('Undo deletion');
    expect(
      await screen.findByRole('dialog', {
        name: 'Restore 43,695 dead letters',
      }),
    ).toBeInTheDocument();
    expect(await violations()).toEqual([]);
    await press('Restore 43,695');
    await waitFor(() =>
      expect(service.askedFor('POST /dead-letters/restore')[0].body).toEqual({
        deletedBy: ID,
      }),
    );
  });
});
