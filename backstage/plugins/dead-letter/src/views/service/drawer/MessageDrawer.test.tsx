import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { Answers } from '../../../components/Answers';
import { FakeService, Refusal, may } from '../../../testing/FakeService';
import { violations } from '../../../testing/axe';
import { exampleOf, openApi } from '../../../testing/document';
import { show } from '../../../testing/render';
import { anOperation } from '../../operations/examples';
import { MessageDrawer } from './MessageDrawer';

const acting = jest.fn();
jest.mock('../../acting', () => ({
  Acting: (props: unknown) => {
    acting(props);
    return <button>Redeliver…</button>;
  },
}));

const service = FakeService.forTests();
const MESSAGE = 'GET /dead-letters/{id}';
const ID = '01938c2e-7b1a-7c3e-9d5f-2a4b6c8d0e1f';
const OTHER = '01938c2e-0000-7c3e-9d5f-2a4b6c8d0e1f';

const EXAMPLE = exampleOf(
  openApi.components.schemas.DeadLetteredMessageDetails,
) as any;

function death(more = {}) {
  const {
    body,
    errorStack,
    headers,
    history,
    properties,
    typedHeaders,
    ...row
  } = EXAMPLE;
  return { ...row, ...more };
}

function message(more = {}) {
  return {
    ...EXAMPLE,
    id: ID,
    status: 'dead',
    warning: null,
    errorStack: 'PaymentDeclined: no\n    at Gateway.charge (gateway.ts:88)',
    typedHeaders: { traceparent: { t: 'S', v: '00-26bd' } },
    headers: { traceparent: '00-26bd' },
    properties: { deliveryMode: 2, appId: 'storefront' },
    history: { deaths: [death({ id: ID })], operations: [] },
    ...more,
  };
}

const onClose = jest.fn();
const onOpen = jest.fn();
const onChanged = jest.fn();

function showDrawer(id = ID) {
  return show(
    <Answers>
      <MessageDrawer
        id={id}
        resourceRef="component:default/webshop"
        onClose={onClose}
        onOpen={onOpen}
        onChanged={onChanged}
      />
    </Answers>,
    { at: '/?env=demo' },
  );
}

function section(name: string) {
  return screen.findByRole('region', { name });
}

async function factOf(region: string, name: string) {
  const term = within(await section(region)).getByText(name);
  return term.nextElementSibling;
}

describe('MessageDrawer', () => {
  beforeEach(() => jest.clearAllMocks());

  it('says first why it died', async () => {
    service.answer(MESSAGE, message());
    await showDrawer();
    const why = await section('Why it died');
    expect(why).toHaveTextContent('PaymentDeclined');
    expect(why).toHaveTextContent('card issuer timed out after 3000 ms');
    expect(
      within(why).getByRole('group', { name: 'Stack trace' }),
    ).toHaveTextContent('at Gateway.charge (gateway.ts:88)');
    expect(within(why).getByText('Dead')).toBeInTheDocument();
    expect(
      within(why).getByRole('link', { name: 'Open the logs' }),
    ).toHaveAttribute('href', EXAMPLE.logLink);
    const dialog = screen.getByRole('dialog', {
      name: 'Dead letter OrderPlaced',
    });
    expect(within(dialog).getAllByRole('region')[0]).toBe(why);
    expect(await violations()).toEqual([]);
  });

  it('says so where the message does not say why', async () => {
    service.answer(
      MESSAGE,
      message({
        errorType: null,
        errorMessage: null,
        errorStack: null,
        logLink: null,
        traceLink: null,
        warning: 'headers are longer than what is read',
      }),
    );
    await showDrawer();
    const why = await section('Why it died');
    expect(why).toHaveTextContent('The message contains no error');
    expect(why).toHaveTextContent('Broker reason: rejected.');
    expect(within(why).queryByRole('link')).toBeNull();
    expect(
      screen.getByText('headers are longer than what is read'),
    ).toBeInTheDocument();
    expect(await violations()).toEqual([]);
  });

  it('copies ids, and tells the default exchange from none', async () => {
    const user = userEvent.setup();
    const copied = jest.spyOn(navigator.clipboard, 'writeText');
    service.answer(MESSAGE, message({ messageId: 'm-1', exchange: '' }));
    await showDrawer();
    expect(await factOf('Where it died', 'Exchange')).toHaveTextContent(
      'the default exchange',
    );
    await user.click(screen.getByRole('button', { name: 'Copy Message id' }));
    expect(copied).toHaveBeenCalledWith('m-1');
    expect(
      screen.queryByRole('button', { name: 'Copy Correlation id' }),
    ).toBeNull();
  });

  it('shows headers with their types, and what is in tables', async () => {
    service.answer(
      MESSAGE,
      message({
        typedHeaders: {
          retries: { t: 'l', v: '9007199254740993' },
          eta: { t: 'V', v: null },
          stack: { t: 'S', v: 'at line '.repeat(80) },
          'x-death': {
            t: 'A',
            v: [
              {
                t: 'F',
                v: {
                  queue: { t: 'S', v: 'demo-orders' },
                  time: { t: 'T', v: '1795538127' },
                  exchange: { t: 'S', v: '' },
                },
              },
            ],
          },
        },
      }),
    );
    await showDrawer();
    await section('Headers');
    const row = (name: string) =>
      screen.getByRole('rowheader', { name }).closest('tr')!;
    expect(row('retries')).toHaveTextContent(
      'retries64-bit integer9007199254740993',
    );
    expect(row('eta')).toHaveTextContent('etavoidno value');
    expect(row('x-death')).toHaveTextContent('queue stringdemo-orders');
    expect(row('x-death')).toHaveTextContent('exchange stringempty');
    expect(row('x-death').querySelector('time')).toHaveAttribute(
      'datetime',
      '2026-11-24T16:35:27.000Z',
    );
    expect(
      screen.getByRole('group', { name: 'Value of stack' }),
    ).toHaveAttribute('tabindex', '0');
    expect(await violations()).toEqual([]);
  });

  it('saves the exact bytes', async () => {
    const user = userEvent.setup();
    const saved: Blob[] = [];
    URL.createObjectURL = jest.fn(blob => {
      saved.push(blob as Blob);
      return 'blob:here';
    });
    URL.revokeObjectURL = jest.fn();
    const names: string[] = [];
    jest
      .spyOn(HTMLAnchorElement.prototype, 'click')
      .mockImplementation(function click(this: HTMLAnchorElement) {
        names.push(this.download);
      });
    const body = {
      encoding: 'base64',
      content: '/wBB',
      contentType: null,
      truncated: false,
      decodedFrom: null,
    };
    service.answer(MESSAGE, message({ body, bodySize: 3 }));
    service.answer(
      'GET /dead-letters/{id}/body',
      () => new Response(new Uint8Array([0xff, 0, 0x41])),
    );
    await showDrawer();
    const shown = await section('Body');
    expect(shown).toHaveTextContent('Binary · 3 bytes');
    expect(
      within(shown).getByRole('group', { name: 'Body' }),
    ).toHaveTextContent('00000000 ff 00 41 |..A|');
    await user.click(screen.getByRole('button', { name: 'Download' }));
    await waitFor(() => expect(names).toEqual([`${ID}.bin`]));
    expect(saved[0].size).toBe(3);
    expect(URL.revokeObjectURL).toHaveBeenCalledWith('blob:here');
  });

  it('says why it could not be saved', async () => {
    service.answer(MESSAGE, message());
    service.answer('GET /dead-letters/{id}/body', () => {
      throw new Refusal(404, 'NotFoundError', 'it is purged');
    });
    await showDrawer();
    await userEvent.click(
      await screen.findByRole('button', { name: 'Download' }),
    );
    expect(await screen.findByRole('alert')).toHaveTextContent('it is purged');
    expect(await violations()).toEqual([]);
  });

  it('says that a long body is cut', async () => {
    const content = 'x'.repeat(65_536);
    const body = {
      encoding: 'text',
      content,
      contentType: null,
      truncated: true,
      decodedFrom: null,
    };
    service.answer(MESSAGE, message({ body, bodySize: 300_000 }));
    await showDrawer();
    expect(
      await screen.findByText(
        /Only the beginning is shown.* all 300,000 bytes/,
      ),
    ).toBeInTheDocument();
    expect(
      screen.getByRole('button', { name: 'Copy beginning of the body' }),
    ).toBeInTheDocument();
  });

  it('tells its history in order, and leads to deaths and operations', async () => {
    service.answer(
      MESSAGE,
      message({
        history: {
          deaths: [
            death({
              id: OTHER,
              diedAt: '2026-11-24T01:00:00Z',
              queue: 'first',
            }),
            death({ id: ID, diedAt: '2026-11-24T03:00:00Z', queue: 'second' }),
          ],
          operations: [
            {
              copy: false,
              deadLetterId: OTHER,
              detail: 'returned: 312 NO_ROUTE',
              kind: 'redeliver',
              note: 'issuer is back',
              operationId: OTHER,
              outcome: 'sent',
              redeliveryId: ID,
              requestedAt: '2026-11-24T02:00:00Z',
              requestedBy: 'alice',
              settledAt: '2026-11-24T02:00:01Z',
            },
          ],
        },
      }),
    );
    await showDrawer();
    const history = await section('History');
    const [first, operation, second] = within(history).getAllByRole('listitem');
    expect(first).toHaveTextContent('Died in first');
    expect(operation).toHaveTextContent('Redelivery by alice');
    expect(operation).toHaveTextContent('issuer is back');
    expect(operation).toHaveTextContent('sent');
    expect(operation).toHaveTextContent('returned: 312 NO_ROUTE');
    expect(
      within(operation).getByRole('link', { name: 'Show the operation' }),
    ).toHaveAttribute(
      'href',
      `/dead-letter/operations?env=demo&operation=${OTHER}`,
    );
    expect(second).toHaveTextContent('shown here');
    expect(within(second).queryByRole('button')).toBeNull();
    await userEvent.click(
      within(first).getByRole('button', { name: 'Show this death' }),
    );
    expect(onOpen).toHaveBeenCalledWith(OTHER);
    expect(await violations()).toEqual([]);
  });

  it('acts on it, and asks again what has become of it', async () => {
    let status = 'dead';
    service.answer(MESSAGE, () => message({ status }));
    await showDrawer();
    await screen.findByRole('button', { name: 'Redeliver…' });
    expect(acting.mock.lastCall[0]).toMatchObject({
      selection: { ids: [ID], status: 'dead' },
      resourceRef: 'component:default/webshop',
    });
    status = 'redelivered';
    service.answer('GET /operations/{id}', anOperation());
    acting.mock.lastCall[0].onChanged('begun', anOperation());
    expect(onChanged).toHaveBeenCalled();
    expect(
      await screen.findByText(/^This message was redelivered/),
    ).toBeInTheDocument();
    expect(screen.queryByRole('button', { name: 'Redeliver…' })).toBeNull();
    expect(
      await screen.findByRole('article', { name: 'Redelivery' }),
    ).toHaveTextContent('none died again so far');
  });

  it('offers to send once more what was redelivered long ago', async () => {
    service.answer(MESSAGE, message({ status: 'redelivered' }));
    await showDrawer();
    await screen.findByRole('button', { name: 'Redeliver…' });
    expect(acting.mock.lastCall[0].selection).toEqual({
      ids: [ID],
      status: 'redelivered',
    });
  });

  it('sends nothing that was deleted, and says that it can be restored', async () => {
    service.answer(MESSAGE, message({ status: 'deleted' }));
    await showDrawer();
    expect(await screen.findByText(/It can be restored/)).toBeInTheDocument();
    for (const other of ['Edit and redeliver …', 'Copy to a queue …']) {
      expect(screen.queryByRole('button', { name: other })).toBeNull();
    }
    expect(await violations()).toEqual([]);
  });

  it('closes by key and by button', async () => {
    service.answer(MESSAGE, message());
    await showDrawer();
    await section('Why it died');
    await userEvent.keyboard('{Escape}');
    expect(onClose).toHaveBeenCalledTimes(1);
    await userEvent.click(screen.getByRole('button', { name: 'Close' }));
    expect(onClose).toHaveBeenCalledTimes(2);
  });

  it('keeps the focus inside', async () => {
    service.answer(MESSAGE, message());
    await showDrawer();
    await section('Why it died');
    const dialog = screen.getByRole('dialog');
    expect(dialog).toContainElement(document.activeElement as HTMLElement);
    // Backwards from its beginning: around to its end, and not to the page.
    await userEvent.tab({ shift: true });
    await userEvent.tab({ shift: true });
    expect(dialog).toContainElement(document.activeElement as HTMLElement);
  });

  it('says that it is not there', async () => {
    service.answer(MESSAGE, () => {
      throw new Refusal(404, 'NotFoundError', 'no such dead letter');
    });
    await showDrawer();
    expect(await screen.findByRole('alert')).toHaveTextContent(
      'Dead letter not found',
    );
    expect(screen.queryByRole('button', { name: 'Redeliver…' })).toBeNull();
    expect(await violations()).toEqual([]);
  });

  it('says that the service is away', async () => {
    service.answer(MESSAGE, () => {
      throw new Refusal(503, 'ServiceUnavailableError', 'no database');
    });
    await showDrawer();
    expect(
      await screen.findByRole('status', { name: 'Loading the dead letter' }),
    ).toBeInTheDocument();
    expect(await violations()).toEqual([]);
    const alert = await screen.findByRole('alert', {}, { timeout: 5_000 });
    expect(alert).toHaveTextContent(
      'The dead-letter service is not responding',
    );
    expect(await violations()).toEqual([]);
  });

  it('says why body and headers are not shown', async () => {
    service.answer(MESSAGE, message({ service: 'webshop' }));
    service.answer('GET /me', may({ 'read-payload': ['billing'] }));
    await showDrawer();
    expect(
      await screen.findByText('You do not have access to the body and headers'),
    ).toBeInTheDocument();
    expect(screen.getByText(/message\.read-payload/)).toBeInTheDocument();
    expect(screen.queryByText('traceparent')).toBeNull();
    expect(screen.queryByRole('button', { name: /Download/ })).toBeNull();
    expect(await violations()).toEqual([]);
  });
});
