import { ToastApiMessage } from '@backstage/frontend-plugin-api';
import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { Answers } from '../../components/Answers';
import { FakeService, Refusal } from '../../testing/FakeService';
import { violations } from '../../testing/axe';
import { show } from '../../testing/render';
import { anOperation, aPlan } from '../operations/examples';
import { Acting } from './Acting';
import { Selection } from './selection';

const service = FakeService.forTests();
const changed = jest.fn();
const toasts: ToastApiMessage[] = [];

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
        resourceRef={resourceRef}
        onChanged={changed}
      />
    </Answers>,
    { denied, toasts },
  );
}

async function press(name: string | RegExp) {
  await userEvent.click(await screen.findByRole('button', { name }));
}

beforeEach(() => {
  changed.mockClear();
  service.answer('POST /operations/plan', () => aPlan());
});

describe('Acting', () => {
  it('offers nothing without a selection', async () => {
    await show(
      <Answers>
        <Acting
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
      await screen.findByText(/may not delete here.*message\.delete/),
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
    expect(inDialog.getByText('still failing now')).toBeInTheDocument();
    expect(inDialog.getByText(/has no consumers/)).toBeInTheDocument();
    expect(inDialog.getByRole('button', { name: 'Cancel' })).toHaveFocus();
    expect(service.askedFor('POST /operations')).toEqual([]);
    expect(service.askedFor('POST /operations/plan')[0].body).toEqual({
      kind: 'redeliver',
      filter: { service: 'webshop' },
      all: false,
    });
    expect(await violations()).toEqual([]);
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

  it('runs the plan with its note, follows it and announces its end', async () => {
    service.answer('POST /operations', () => anOperation());
    let looked = 0;
    service.answer('GET /operations/{id}', () =>
      anOperation(
        ++looked < 2
          ? {}
          : { state: 'completed', remaining: 0, outcomes: { sent: 43_695 } },
      ),
    );
    await act();
    await press('Redeliver');
    await userEvent.type(await screen.findByLabelText(/Note/), 'issuer is up');
    await press('Redeliver 43,695');
    expect(
      await screen.findByRole('progressbar', { name: /Progress/ }),
    ).toHaveAttribute('aria-valuetext', '23,695 of 43,695');
    expect(screen.queryByRole('dialog')).not.toBeInTheDocument();
    expect(await violations()).toEqual([]);
    expect(service.askedFor('POST /operations')[0].body).toEqual({
      planId: aPlan().id,
      note: 'issuer is up',
    });
    expect(changed).toHaveBeenCalledTimes(1);
    await waitFor(() => expect(changed).toHaveBeenCalledTimes(2), {
      timeout: 4_000,
    });
    expect(toasts.at(-1)).toMatchObject({
      title: '43,695 dead letters redelivered',
      status: 'success',
    });
    expect(screen.queryByRole('progressbar')).not.toBeInTheDocument();
  });

  it('keeps one that went wrong in sight, with the reasons', async () => {
    const id = '01938c2e-0000-7c3e-9d5f-2a4b6c8d0e77';
    const ended = () =>
      anOperation({
        id,
        state: 'completed',
        remaining: 0,
        outcomes: { sent: 43_694, refused: 1 },
      });
    service.answer('POST /operations', ended);
    service.answer('GET /operations/{id}', ended);
    await act();
    await press('Redeliver');
    await press('Redeliver 43,695');
    expect(await screen.findByText('Refused, and why')).toBeInTheDocument();
    expect(await screen.findByText(/312 NO_ROUTE/)).toBeInTheDocument();
    await waitFor(() =>
      expect(toasts.at(-1)).toMatchObject({ status: 'warning' }),
    );
    expect(toasts.at(-1)).not.toHaveProperty('timeout');
    expect(await violations()).toEqual([]);
    await press('Dismiss');
    expect(screen.queryByText('Refused, and why')).not.toBeInTheDocument();
  });

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
    expect(await screen.findByText(/The plan had expired/)).toBeInTheDocument();
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
    const dialog = await screen.findByRole('dialog', { name: /nothing/ });
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
