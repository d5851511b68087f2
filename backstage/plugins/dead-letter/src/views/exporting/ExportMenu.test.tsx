import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { ToastApiMessage } from '@backstage/frontend-plugin-api';
import { has, pages, tab } from '../../testing/serviceTab';

const saved: Blob[] = [];

beforeEach(() => {
  saved.length = 0;
  URL.createObjectURL = file => {
    saved.push(file as Blob);
    return 'blob:test';
  };
  URL.revokeObjectURL = () => {};
});

async function start(item: RegExp, toasts: ToastApiMessage[] = []) {
  const user = userEvent.setup();
  await tab({ at: '/?find=postcode', toasts });
  await user.click(await screen.findByRole('button', { name: 'Export' }));
  await user.click(await screen.findByRole('menuitem', { name: item }));
  return user;
}

describe('ExportMenu', () => {
  it('saves all pages of what is listed', async () => {
    has(450);
    const toasts: ToastApiMessage[] = [];
    await start(/^NDJSON/, toasts);
    await waitFor(() => expect(saved).toHaveLength(1));
    expect((await saved[0].text()).trimEnd().split('\n')).toHaveLength(450);
    await waitFor(() =>
      expect(toasts[0].title).toBe('450 dead letters exported'),
    );
    const asked = pages().filter(({ limit }) => limit === '200');
    expect(asked.map(({ cursor }) => cursor)).toEqual([
      undefined,
      '200',
      '400',
    ]);
    asked.forEach(({ find }) => expect(find).toBe('postcode'));
  });

  it('is cancelled', async () => {
    has(40_000);
    const user = await start(/^CSV/);
    await user.click(await screen.findByText('Cancel the export'));
    await screen.findByRole('button', { name: 'Export' });
    const asked = pages().length;
    expect(asked).toBeLessThan(200);
    expect(saved).toEqual([]);
  });
});
