import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { ToastApiMessage } from '@backstage/frontend-plugin-api';
import { has, message, pages, service, tab } from '../../testing/serviceTab';

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
    const page = {
      messages: [message(0)],
      total: { value: 400, relation: 'eq' },
      nextCursor: '200',
      prevCursor: null,
    };
    // The second page comes when it is cancelled, and would have a third.
    let release = () => {};
    service.answer('GET /dead-letters', ({ query }) => {
      if (!query.cursor) return page;
      const body = new ReadableStream({
        start(stream) {
          release = () => {
            stream.enqueue(new TextEncoder().encode(JSON.stringify(page)));
            stream.close();
          };
        },
      });
      return new Response(body);
    });
    const user = await start(/^CSV/);
    await user.click(await screen.findByText('Cancel the export'));
    release();
    await screen.findByRole('button', { name: 'Export' });
    expect(pages().filter(({ cursor }) => cursor)).toHaveLength(1);
    expect(saved).toEqual([]);
  });
});
