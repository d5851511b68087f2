import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { violations } from '../../../testing/axe';
import { exampleOf, openApi } from '../../../testing/document';
import { has, message, service, tab } from '../../../testing/serviceTab';

const details: any = exampleOf(
  openApi.components.schemas.DeadLetteredMessageDetails,
);

const GROUP = '03bfd559-2582-81db-9da5-e2566c3c3179';

describe('two messages', () => {
  beforeEach(() => {
    has(3);
    service.answer('GET /dead-letters/{id}', ({ params }: any) => ({
      ...details,
      id: params.id,
      errorGroup: GROUP,
      headers: { tenant: params.id === message(0).id ? 'acme' : 'umbra' },
      body: {
        ...details.body,
        encoding: 'text',
        truncated: false,
        content: '{"same":1}',
      },
    }));
  });

  it('are compared side by side', async () => {
    await tab();
    await screen.findByText('m-0');
    const choose = async (row: number) =>
      userEvent.click(screen.getAllByRole('checkbox')[row + 1]);
    await choose(0);
    expect(screen.queryByRole('button', { name: 'Compare' })).toBeNull();
    await choose(1);
    await userEvent.click(screen.getByRole('button', { name: 'Compare' }));
    const dialog = await screen.findByRole('dialog');
    const headers = await within(dialog).findByRole('region', {
      name: 'Headers',
    });
    expect(within(headers).getByText('acme')).toBeInTheDocument();
    expect(within(headers).getByText('umbra')).toBeInTheDocument();
    const body = within(dialog).getByRole('region', { name: 'Body' });
    expect(body).toHaveTextContent('No differences.');
    expect(await violations()).toEqual([]);
    await userEvent.click(
      within(dialog).getByRole('switch', {
        name: 'Also show what is the same',
      }),
    );
    expect(within(body).getAllByText('1')).toHaveLength(2);
  });

  it('lead to each other, to their group and to others with their correlation id', async () => {
    await tab({ at: `/?env=demo&message=${message(1).id}` });
    const dialog = await screen.findByRole('dialog');
    expect(
      await within(dialog).findByRole('link', { name: 'Open the error group' }),
    ).toHaveAttribute('href', `/dead-letter/group?env=demo&id=${GROUP}`);
    const next = () =>
      within(screen.getByRole('dialog')).getByRole('button', {
        name: 'Next message',
      });
    await userEvent.click(next());
    expect(
      await within(screen.getByRole('dialog')).findByText(message(2).id),
    ).toBeInTheDocument();
    expect(next()).toBeDisabled();
    expect(
      within(screen.getByRole('dialog')).getByRole('button', {
        name: 'Previous message',
      }),
    ).toBeEnabled();
  });
});
