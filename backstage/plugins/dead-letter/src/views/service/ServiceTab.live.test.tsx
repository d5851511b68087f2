import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { violations } from '../../testing/axe';
import { exampleOf, openApi } from '../../testing/document';
import {
  OPERATIONS,
  OVERVIEW,
  has,
  lastDay,
  listed,
  message,
  pages,
  service,
  tab,
} from '../../testing/serviceTab';

describe('ServiceTab, as time goes on', () => {
  it('says what is known where nothing waits, and shows that', async () => {
    has(0);
    service.answer(OVERVIEW, [lastDay(249, 249)]);
    await tab();
    expect(
      await screen.findByText('No dead letters are waiting'),
    ).toBeInTheDocument();
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
      await screen.findByText('No messages died in the last 24 hours.'),
    ).toBeInTheDocument();
    expect(screen.queryByRole('button', { name: 'Show them' })).toBeNull();
  });

  it('offers to clear a filter that nothing matches', async () => {
    has(0);
    await tab({ at: '/?queue=q' });
    const empty = await screen.findByText(
      'No dead letters match these filters',
    );
    expect(document.querySelector('[data-icon=filtered]')).not.toBeNull();
    await userEvent.click(
      within(empty.parentElement!).getByText('Clear filters'),
    );
    expect(
      await screen.findByText('No dead letters are waiting'),
    ).toBeInTheDocument();
  });

  it('says where it looked when it found nothing', async () => {
    has(0);
    await tab({ at: '/?env=demo&find=ada%40example.com' });
    expect(
      await screen.findByPlaceholderText(
        'id, or text in error, body or header',
      ),
    ).toHaveValue('ada@example.com');
    expect(
      await screen.findByText(
        'Searched for “ada@example.com” in the ids, errors, bodies and headers of the waiting dead letters of webshop that match the other filters.',
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
      screen.getByRole('button', { name: 'Search all statuses' }),
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
    expect(
      await screen.findByText('1 of these dead letters no longer matches'),
    ).toBeInTheDocument();
    expect(await screen.findByText('2 dead letters')).toBeInTheDocument();
    expect(screen.getByText('1 selected')).toBeInTheDocument();
    expect(screen.getByText('Select all 2 that match')).toBeInTheDocument();
    const row = screen.getByText('m-0').closest<HTMLElement>('[role=row]')!;
    expect(within(row).getByText('no longer dead')).toBeInTheDocument();
    expect(screen.getAllByText('no longer dead')).toHaveLength(1);
    await user.click(screen.getByRole('button', { name: 'Refresh' }));
    await waitFor(() => expect(screen.queryByText('m-0')).toBeNull());
    expect(screen.getByText('m-1')).toBeInTheDocument();
    expect(screen.queryByText(/no longer match/)).toBeNull();
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
        name: 'Actions for: card issuer timed out',
      }),
    );
    await userEvent.click(screen.getByRole('menuitem', { name: 'Resolve …' }));
    await userEvent.click(
      await screen.findByRole('button', { name: 'Resolve' }),
    );
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
});
