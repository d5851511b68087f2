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
  it('survives paging and a reload, and is acted on as a whole', async () => {
    has(117);
    await tab();
    await screen.findByText('m-0');
    await choose('m-3');
    expect(await screen.findByText('1 selected')).toBeInTheDocument();
    await turn('next');
    await screen.findByText('m-50');
    expect(screen.getByText(/1 selected/)).toHaveTextContent(
      '1 selected (1 on other pages)',
    );
    await choose('m-51');
    expect(await screen.findByText(/2 selected/)).toBeInTheDocument();

    cleanup();
    await tab();
    await screen.findByText('m-0');
    expect(screen.getByText(/2 selected/)).toHaveTextContent(
      '2 selected (1 on other pages)',
    );
    expect(rowOf('m-3')).toHaveAttribute('aria-selected', 'true');
    await userEvent.click(screen.getByRole('button', { name: 'Redeliver' }));
    await waitFor(() =>
      expect(
        service.askedFor('POST /operations/plan')[0].body.ids.sort(),
      ).toEqual([message(3).id, message(51).id].sort()),
    );
  });

  it('is another one with another filter', async () => {
    has(117);
    await tab();
    await screen.findByText('m-0');
    await choose('m-3');
    cleanup();
    await tab({ at: '/?queue=q' });
    await screen.findByText('m-0');
    expect(screen.getByText('0 selected')).toBeInTheDocument();
  });

  it('of a page leaves those of other pages as they are', async () => {
    has(117);
    await tab();
    await screen.findByText('m-0');
    await choose('m-3');
    await turn('next');
    await screen.findByText('m-50');
    const [all] = screen.getAllByRole('checkbox');
    await userEvent.click(all);
    expect(await screen.findByText(/51 selected/)).toBeInTheDocument();
    await userEvent.click(all);
    expect(await screen.findByText(/^1 selected/)).toBeInTheDocument();
  });
});

describe('pages', () => {
  it('say which rows of all they show', async () => {
    has(117);
    await tab();
    expect(await screen.findByText('1–50 of 117')).toBeInTheDocument();
    await turn('next');
    expect(await screen.findByText('51–100 of 117')).toBeInTheDocument();
    await turn('next');
    expect(await screen.findByText('101–117 of 117')).toBeInTheDocument();
    await turn('previous');
    expect(await screen.findByText('51–100 of 117')).toBeInTheDocument();
    expect(pages().at(-1)!.cursor).toBe('50');
  });
});
