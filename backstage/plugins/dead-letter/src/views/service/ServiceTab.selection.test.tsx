import { cleanup, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { has, message, pages, service, tab } from '../../testing/serviceTab';

/** The row that a message is in. */
const rowOf = (id: string) => screen.getByText(id).closest('[role="row"]')!;
const choose = (id: string) =>
  userEvent.click(rowOf(id).querySelector('input[type="checkbox"]')!);
const turn = (side: string) =>
  userEvent.click(
    screen.getByRole('button', { name: new RegExp(`${side} table page`, 'i') }),
  );

describe('a selection', () => {
  it('survives paging', async () => {
    has(47);
    await tab({ at: '/?limit=20' });
    await screen.findByText('m-0');
    await choose('m-3');
    expect(await screen.findByText('1 selected')).toBeInTheDocument();
    await turn('next');
    await screen.findByText('m-20');
    expect(screen.getByText(/1 selected/)).toHaveTextContent(
      '1 selected (1 on other pages)',
    );
    await choose('m-21');
    expect(await screen.findByText(/2 selected/)).toBeInTheDocument();
  });

  it('survives a reload, and is acted on as a whole', async () => {
    has(47);
    await tab({ at: '/?limit=20' });
    await screen.findByText('m-0');
    await choose('m-3');
    await screen.findByText('1 selected');
    cleanup();
    await tab({ at: '/?limit=20&cursor=20' });
    await screen.findByText('m-21');
    await choose('m-21');
    await screen.findByText(/2 selected/);
    expect(rowOf('m-21')).toHaveAttribute('aria-selected', 'true');
    await userEvent.click(screen.getByRole('button', { name: 'Redeliver' }));
    await waitFor(() =>
      expect(service.askedFor('POST /operations/plan')[0].body.ids).toEqual([
        message(3).id,
        message(21).id,
      ]),
    );
  });

  it('is another one with another filter', async () => {
    has(3);
    await tab();
    await screen.findByText('m-0');
    await choose('m-1');
    cleanup();
    await tab({ at: '/?queue=q' });
    await screen.findByText('m-0');
    expect(screen.getByText('0 selected')).toBeInTheDocument();
  });

  it('of a page leaves those of other pages as they are', async () => {
    has(47);
    await tab({ at: '/?limit=20' });
    await screen.findByText('m-0');
    await choose('m-3');
    await turn('next');
    await screen.findByText('m-20');
    const [all] = screen.getAllByRole('checkbox');
    await userEvent.click(all);
    expect(await screen.findByText(/21 selected/)).toBeInTheDocument();
    await userEvent.click(all);
    expect(await screen.findByText(/^1 selected/)).toBeInTheDocument();
  });
});

describe('pages', () => {
  it('say which rows of all they show', async () => {
    has(47);
    await tab({ at: '/?limit=20' });
    expect(await screen.findByText('1–20 of 47')).toBeInTheDocument();
    await turn('next');
    expect(await screen.findByText('21–40 of 47')).toBeInTheDocument();
    await turn('next');
    expect(await screen.findByText('41–47 of 47')).toBeInTheDocument();
    await turn('previous');
    expect(await screen.findByText('21–40 of 47')).toBeInTheDocument();
    // What was shown before is shown at once, and asked for again.
    await waitFor(() => expect(pages().at(-1)!.cursor).toBe('20'));
  });
});
