import { ToastApiMessage } from '@backstage/frontend-plugin-api';
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { Answers } from '../../components/Answers';
import { sayTime } from '../../components/Time';
import { FakeService, Refusal } from '../../testing/FakeService';
import { violations } from '../../testing/axe';
import { show } from '../../testing/render';
import { anOperation, aPlan } from '../operations/examples';
import { Acting } from './Acting';
import { Selection } from './selection';

const service = FakeService.forTests();
const changed = jest.fn();
const toasts: ToastApiMessage[] = [];
/** What one test was answered of an operation is not another's. */
let ids = 0;

async function act(
  selection: Selection | undefined = { filter: { service: 'webshop' } },
  denied: string[] = [],
  // What is permitted is remembered for each entity.
  resourceRef = 'component:default/webshop',
) {
  await show(
    <Answers>
      <Acting
        selection={selection}
        services={['webshop']}
        resourceRef={resourceRef}
        onChanged={changed}
      />
    </Answers>,
    { denied, toasts },
  );
}

/** What a redelivery answers, one look after the other; the last one stays once the others are let go. */
function ends(...looks: Parameters<typeof anOperation>[0][]) {
  const id = `01938c2e-0000-7c3e-9d5f-${String(++ids).padStart(12, '0')}`;
  service.answer('POST /operations', () => anOperation({ id }));
  let look = 0;
  let isHeld = looks.length > 1 && looks[0]!.verdict === 'watching';
  service.answer('GET /operations/{id}', () => {
    const at = isHeld ? 0 : Math.min(look++, looks.length - 1);
    return anOperation({ ...looks[at], id });
  });
  return () => {
    isHeld = false;
    look = 1;
  };
}

async function press(name: string | RegExp) {
  await userEvent.click(await screen.findByRole('button', { name }));
}

beforeEach(() => {
  changed.mockClear();
  toasts.length = 0;
  service.answer('POST /operations/plan', () => aPlan());
});

describe('Acting', () => {
  it('offers nothing without a selection', async () => {
    await show(
      <Answers>
        <Acting
          services={['webshop']}
          selection={undefined}
          resourceRef="component:default/webshop"
          onChanged={changed}
        />
      </Answers>,
    );
    for (const name of ['Redeliver', 'Delete']) {
      expect(screen.getByRole('button', { name })).toBeDisabled();
    }
  });

  it('says which permission is missing', async () => {
    await act(
      undefined,
      ['dead-letter.message.delete'],
      'component:default/billing',
    );
    expect(
      await screen.findByText(
        /do not have permission to delete.*message\.delete/,
      ),
    ).toBeInTheDocument();
    expect(screen.getByRole('button', { name: 'Delete' })).toBeDisabled();
    expect(screen.getByRole('button', { name: 'Redeliver' })).toBeEnabled();
    expect(await violations()).toEqual([]);
  });

  it('says exactly what will happen before anything does', async () => {
    await act();
    await press('Redeliver');
    const dialog = await screen.findByRole('dialog', {
      name: 'Redeliver 43,695 dead letters to 2 queues',
    });
    const inDialog = within(dialog);
    expect(inDialog.getByText('43,000')).toBeInTheDocument();
    expect(inDialog.getByText(/^last failed/)).toBeInTheDocument();
    expect(
      inDialog.getByText(/orders_webshop has no consumers/),
    ).toBeInTheDocument();
    expect(inDialog.getByText(/Selection frozen/)).toBeInTheDocument();
    expect(inDialog.getByRole('button', { name: 'Cancel' })).toHaveFocus();
    expect(service.askedFor('POST /operations')).toEqual([]);
    expect(service.askedFor('POST /operations/plan')[0].body).toEqual({
      kind: 'redeliver',
      filter: { service: 'webshop' },
      all: false,
    });
    expect(await violations()).toEqual([]);
  });

  it('has one clock: what the service knows of times is shown as ages, and here', async () => {
    const at = new Date(Date.now() - 7_000).toISOString();
    service.answer('POST /operations/plan', () =>
      aPlan({
        warnings: [
          {
            code: 'still_failing',
            severity: 'warning',
            message: `webshop (PaymentDeclined) still fails: ${at}`,
            count: 43_000,
            service: 'webshop',
            errorType: 'PaymentDeclined',
            lastSeen: at,
          },
          {
            code: 'broker_unreachable',
            severity: 'warning',
            message: 'it waits since 2026-11-28T18:47:03Z',
            count: null,
          },
        ],
      }),
    );
    await act();
    await press('Redeliver');
    const dialog = await screen.findByRole('dialog', { name: /43,695/ });
    expect(dialog).toHaveTextContent(
      /webshop is still failing with PaymentDeclined \(last one \d+ seconds ago\)/,
    );
    expect(dialog).not.toHaveTextContent(/\d{4}-\d{2}-\d{2}T/);
    expect(dialog).toHaveTextContent(
      `it waits since ${sayTime(new Date('2026-11-28T18:47:03Z'))}`,
    );
  });

  it('names the operation that has some of these already', async () => {
    service.answer('POST /operations/plan', () =>
      aPlan({
        warnings: [
          {
            code: 'in_operation',
            severity: 'warning',
            message: '3,036 of these are in a paused redelivery',
            count: 3_036,
            operation: aPlan().id,
          },
        ],
      }),
    );
    await act();
    await press('Redeliver');
    const dialog = await screen.findByRole('dialog', { name: /43,695/ });
    expect(dialog).toHaveTextContent(/3,036 of these are in a paused/);
    expect(
      within(dialog).getByRole('link', { name: 'Show the operation' }),
    ).toHaveAttribute(
      'href',
      `/dead-letter/operations?env=demo&operation=${aPlan().id}`,
    );
  });

  it('plans anew with a canary', async () => {
    await act();
    await press('Redeliver');
    await userEvent.click(await screen.findByRole('switch'));
    await waitFor(() =>
      expect(
        service.askedFor('POST /operations/plan').at(-1)!.body,
      ).toMatchObject({ canary: [1, 10, 100], canaryWait: 30 }),
    );
  });

  it('starts with a canary what still fails, unless somebody says otherwise', async () => {
    service.answer('POST /operations/plan', () =>
      aPlan({
        warnings: [
          {
            code: 'still_failing',
            severity: 'warning',
            message: 'still failing',
            count: 3,
          },
        ],
      }),
    );
    await act();
    await press('Redeliver');
    const canary = await screen.findByRole('switch');
    expect(canary).toBeChecked();
    const planned = () =>
      service.askedFor('POST /operations/plan').at(-1)!.body;
    await waitFor(() =>
      expect(planned()).toMatchObject({ canary: [1, 10, 100] }),
    );
    await userEvent.click(canary);
    await waitFor(() => expect(planned()).not.toHaveProperty('canary'));
    expect(canary).not.toBeChecked();
  });

  it('plans anew with another order and routing key, behind more options', async () => {
    await act();
    await press('Redeliver');
    await press('More options');
    expect(await violations()).toEqual([]);
    for (const [field, option] of [
      [/^Newest first/, 'Any order (faster)'],
      [/^Queue name/, 'Original'],
    ] as const) {
      await press(field);
      await userEvent.click(
        await screen.findByRole('option', { name: option }),
      );
    }
    await waitFor(() =>
      expect(
        service.askedFor('POST /operations/plan').at(-1)!.body,
      ).toMatchObject({ order: 'any', routingKey: 'original' }),
    );
  });

  it('sends once more what was redelivered before only when somebody says so', async () => {
    service.answer('POST /operations/plan', () =>
      aPlan({
        warnings: [
          {
            code: 'again',
            severity: 'warning',
            message: 'Whoever handled them will handle them twice.',
            count: 43_695,
          },
        ],
      }),
    );
    await act({ ids: [aPlan().id], status: 'redelivered' });
    expect(screen.queryByRole('button', { name: 'Delete' })).toBeNull();
    await press('Redeliver again');
    const dialog = await screen.findByRole('dialog', {
      name: 'Redeliver again',
    });
    expect(dialog).toHaveTextContent(/will handle it twice/);
    expect(
      within(dialog).queryByRole('button', { name: /^Redeliver/ }),
    ).toBeNull();
    expect(await violations()).toEqual([]);
    expect(service.askedFor('POST /operations/plan')).toEqual([]);
    await userEvent.click(screen.getByRole('switch', { name: 'Send again' }));
    await screen.findByRole('button', { name: 'Redeliver 43,695' });
    expect(service.askedFor('POST /operations/plan')[0].body).toEqual({
      kind: 'redeliver',
      ids: [aPlan().id],
      again: true,
    });
    expect(dialog).toHaveTextContent(/will handle them twice/);
  });

  it('does not warn of what is always so', async () => {
    service.answer('POST /operations/plan', () =>
      aPlan({
        warnings: [
          {
            code: 'will_wait',
            severity: 'warning',
            message: 'no consumers',
            count: 33_000,
            queue: 'orders_webshop',
          },
          {
            code: 'routing_key_changes',
            severity: 'note',
            message: 'another routing key',
            count: 43_000,
          },
          {
            code: 'origin_claimed',
            severity: 'note',
            message: 'claims',
            count: 12,
          },
        ],
      }),
    );
    await act();
    await press('Redeliver');
    const notes = await screen.findByRole('list', { name: 'Good to know' });
    expect(notes).toHaveTextContent(
      /Consumers of 43,000 of these .*The queue of 12 of these/,
    );
    const warnings = screen
      .getByText(/About 33,000 messages will not be sent/)
      .closest('ul');
    expect(warnings).not.toHaveTextContent(/routing key|broker does not/);
    expect(await violations()).toEqual([]);
  });

  it('runs the plan with its note, and follows it', async () => {
    ends(
      {},
      {
        state: 'completed',
        verdict: 'completed',
        verdictText: '43,695 sent, none died again within 20 s.',
        remaining: 0,
        outcomes: { sent: 43_695 },
      },
    );
    await act();
    await press('Redeliver');
    await userEvent.type(await screen.findByLabelText(/Note/), 'issuer is up');
    await press('Redeliver 43,695');
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    expect(service.askedFor('POST /operations')[0].body).toEqual({
      planId: aPlan().id,
      note: 'issuer is up',
    });
    expect(changed).toHaveBeenCalledTimes(1);
    await waitFor(() => expect(changed).toHaveBeenCalledTimes(2), {
      timeout: 8_000,
    });
    expect(toasts).toEqual([
      expect.objectContaining({
        title: '43,695 sent, none died again within 20 s.',
        status: 'success',
        timeout: expect.any(Number),
      }),
    ]);
  });

  it('speaks only with a verdict: what was sent is watched first', async () => {
    const sent = { state: 'completed', remaining: 0, total: 3 } as const;
    const go = ends(
      { ...sent, verdict: 'watching', outcomes: { sent: 3 } },
      {
        ...sent,
        verdict: 'failed',
        verdictText: '3 sent, all 3 died again: PaymentDeclined.',
        outcomes: { sent: 0, returned: 3 },
      },
    );
    await act();
    await press('Redeliver');
    await press('Redeliver 43,695');
    await waitFor(() =>
      expect(toasts).toEqual([
        expect.objectContaining({
          title: '3 sent. Watching for messages that die again …',
          status: 'info',
        }),
      ]),
    );
    go();
    await waitFor(
      () =>
        expect(toasts).toEqual([
          expect.objectContaining({
            title: '3 sent, all 3 died again: PaymentDeclined.',
            status: 'danger',
          }),
        ]),
      { timeout: 8_000 },
    );
    expect(toasts[0]).not.toHaveProperty('timeout');
  });

  it.each([
    ['0 sent, 163 skipped.', 'failed', { skipped: 163 }, 'danger'],
    [
      '1 sent, 20 refused (still dead).',
      'completedWithProblems',
      { sent: 1, refused: 20 },
      'warning',
    ],
    ['Nothing was selected.', 'completed', {}, 'info'],
  ] as const)(
    'has no green tick for: %s',
    async (text, verdict, of, status) => {
      ends({
        state: 'completed',
        verdict,
        verdictText: text,
        remaining: 0,
        outcomes: { sent: 0, ...of },
      });
      await act();
      await press('Redeliver');
      await press('Redeliver 43,695');
      await waitFor(() =>
        expect(toasts).toEqual([
          expect.objectContaining({ title: text, status }),
        ]),
      );
    },
  );

  it('plans again when the plan has expired', async () => {
    service.answer('POST /operations', () => {
      throw new Refusal(409, 'ConflictError', 'the plan expired');
    });
    service.answer('GET /operations/{id}', () => {
      throw new Refusal(404, 'NotFoundError', 'there is none');
    });
    await act();
    await press('Delete');
    await press('Delete 43,695');
    expect(await screen.findByText(/The plan expired/)).toBeInTheDocument();
    await waitFor(() =>
      expect(service.askedFor('POST /operations/plan')).toHaveLength(2),
    );
    expect(changed).not.toHaveBeenCalled();
  });

  it('offers nothing where there is nothing', async () => {
    service.answer('POST /operations/plan', () =>
      aPlan({ total: 0, queues: [], errorGroups: [], warnings: [] }),
    );
    await act();
    await press('Delete');
    const dialog = await screen.findByRole('dialog', {
      name: 'Nothing left to do',
    });
    expect(
      within(dialog).queryByRole('button', { name: /^Delete/ }),
    ).not.toBeInTheDocument();
    expect(await violations()).toEqual([]);
  });

  it('says what is wrong with a request', async () => {
    service.answer('POST /operations/plan', () => {
      throw new Refusal(400, 'InputError', 'must be dead, or absent');
    });
    await act();
    await press('Redeliver');
    expect(
      await screen.findByText('must be dead, or absent'),
    ).toBeInTheDocument();
    expect(await violations()).toEqual([]);
  });
});
