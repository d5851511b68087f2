import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { FakeService, Refusal } from '../../testing/FakeService';
import { violations } from '../../testing/axe';
import { component, group, show } from '../../testing/render';
import { ToastApiMessage } from '@backstage/frontend-plugin-api';
import { SquadTab } from './SquadTab';

const service = FakeService.forTests();

// Menus and dialogs take their time where nothing is painted.
jest.setTimeout(30_000);

const SERVICES = 'GET /dead-letters/service-overview';
const GROUPS = 'GET /dead-letters/error-groups';
const CHANGE = 'PATCH /dead-letters/error-groups/{id}';
const ID = '01938c2e-7b1a-7c3e-9d5f-2a4b6c8d0e1f';
const HOUR_MS = 3_600_000;
const hoursAgo = (hours: number) =>
  new Date(Date.now() - hours * HOUR_MS).toISOString();

function overview(name: string, count: number) {
  return {
    service: name,
    squad: 'checkout',
    count,
    oldest: hoursAgo(48),
    newest: hoursAgo(1),
    trend: { lastHour: 5, dayBefore: 9 },
  };
}

function errorGroup(title: string, changes = {}) {
  return {
    id: ID,
    service: 'webshop',
    squad: 'checkout',
    state: 'new',
    reason: 'rejected',
    errorType: 'PaymentDeclined',
    title,
    firstSeen: hoursAgo(30),
    lastSeen: hoursAgo(3),
    arrived: 40,
    resolvedAt: null,
    mutedUntil: null,
    mutedUpTo: null,
    count: 30,
    share: 0.75,
    sample: null,
    sparkline: [...Array(22).fill(0), 30, 10],
    ...changes,
  };
}

function answer(groups: object[], services = [overview('webshop', 40)]) {
  service.answer(SERVICES, services);
  service.answer(GROUPS, {
    groups,
    messages: 40,
    total: groups.length,
  });
}

/** A component that the group `checkout` owns. */
function owned(name: string, annotations = {}) {
  return {
    ...component(name, annotations),
    relations: [{ type: 'ownedBy', targetRef: 'group:default/checkout' }],
  };
}

function tab(options = {}) {
  return show(<SquadTab />, {
    entity: group('checkout'),
    catalog: [owned('webshop')],
    ...options,
  });
}

const titles = () =>
  within(screen.getByRole('region', { name: 'Error groups' }))
    .getAllByRole('listitem')
    .map(each => each.textContent!.slice(0, 1));

async function choose(item: string) {
  await userEvent.click(
    await screen.findByRole('button', { name: /What to do with/ }),
  );
  await userEvent.click(await screen.findByRole('menuitem', { name: item }));
}

describe('SquadTab', () => {
  it('shows services with their shares, linked to their component', async () => {
    answer([], [overview('webshop', 3), overview('notification', 997)]);
    await tab({
      catalog: [
        owned('notification-service', {
          'dead-letter/service-name': 'notification',
        }),
      ],
    });
    expect(
      await screen.findByRole('link', { name: 'notification' }),
    ).toHaveAttribute(
      'href',
      '/catalog/default/component/notification-service/dead-letters?env=demo',
    );
    const [, first, second] = screen.getAllByRole('row');
    expect(first).toHaveTextContent(/notification99799\.7%/);
    expect(second).toHaveTextContent(/webshopNot in the catalog30\.3%/);
    expect(
      screen.getByRole('img', { name: 'Dead letters by service' }),
    ).toHaveAccessibleDescription('notification 99.7%, webshop 0.3%');
    expect(await violations()).toEqual([]);
  });

  it('is about the squad of the annotation, else of the name', async () => {
    answer([]);
    const entity = group('checkout');
    entity.metadata.annotations = { 'dead-letter/squad-name': 'tills' };
    await tab({ entity });
    await screen.findByRole('grid');
    await waitFor(() =>
      expect(service.askedFor(GROUPS)[0].query).toEqual({
        squad: 'tills',
        limit: '200',
      }),
    );
    expect(service.askedFor(SERVICES)[0].query).toEqual({ squad: 'tills' });
  });

  it('shows the newest errors first, or those with the most', async () => {
    const id = (last: number) => `${ID.slice(0, -1)}${last}`;
    answer([
      errorGroup('A', { id: id(1), count: 30, lastSeen: hoursAgo(3) }),
      errorGroup('B', { id: id(2), count: 20, lastSeen: hoursAgo(1) }),
      errorGroup('C', { id: id(3), count: 10, lastSeen: hoursAgo(2) }),
    ]);
    await tab();
    await screen.findByText('B');
    expect(titles()).toEqual(['B', 'C', 'A']);
    await userEvent.click(screen.getByRole('radio', { name: 'Most first' }));
    expect(titles()).toEqual(['A', 'B', 'C']);
  });

  it('shows an error with its numbers, linked to what has it', async () => {
    answer([errorGroup('card issuer <number>', { state: 'regressed' })]);
    await tab();
    const link = await screen.findByRole('link', { name: /card issuer/ });
    expect(link).toHaveAttribute(
      'href',
      `/catalog/default/component/webshop/dead-letters?env=demo&errorGroup=${ID}`,
    );
    const row = link.closest('li')!;
    expect(row).toHaveTextContent('Regressed');
    expect(row).toHaveTextContent('PaymentDeclined');
    expect(row).toHaveTextContent('30 dead letters');
    expect(row).toHaveTextContent('75% of the squad');
    expect(
      within(row).getByRole('img', {
        name: /24 hours: 40 in all, at most 30 in an hour, 10 in the running/,
      }),
    ).toBeInTheDocument();
    expect(await violations()).toEqual([]);
  });

  it('resolves an error, and says so', async () => {
    answer([errorGroup('A')]);
    const toasts: ToastApiMessage[] = [];
    await tab({ toasts });
    await choose('Resolve');
    await waitFor(() =>
      expect(service.askedFor(CHANGE)[0]?.body).toEqual({ action: 'resolve' }),
    );
    expect(service.askedFor(CHANGE)[0].params).toEqual({ id: ID });
    await waitFor(() =>
      expect(service.askedFor(GROUPS).length).toBeGreaterThan(1),
    );
    expect(toasts).toEqual([
      expect.objectContaining({
        title: expect.stringMatching(/^Resolved/),
        status: 'success',
      }),
    ]);
  });

  it('mutes for a day, and says where that fails', async () => {
    answer([errorGroup('A')]);
    service.answer(CHANGE, () => {
      throw new Refusal(409, 'ConflictError', 'somebody was faster');
    });
    const toasts: ToastApiMessage[] = [];
    await tab({ toasts });
    await choose('Mute for a day');
    await waitFor(() =>
      expect(toasts).toEqual([
        {
          title: 'That did not work: nothing was changed',
          description: 'somebody was faster',
          status: 'danger',
        },
      ]),
    );
    const { action, mutedUntil } = service.askedFor(CHANGE)[0].body;
    expect(action).toBe('mute');
    const hours = (new Date(mutedUntil).getTime() - Date.now()) / HOUR_MS;
    expect(hours).toBeCloseTo(24, 1);
  });

  it('writes a note, which stays where saving it fails', async () => {
    answer([errorGroup('A', { state: 'resolved' })]);
    service.answer(CHANGE, () => {
      throw new Refusal(400, 'InputError', 'too long');
    });
    await tab();
    await choose('Write a note…');
    const dialog = await screen.findByRole('dialog');
    const save = within(dialog).getByRole('button', { name: 'Save note' });
    expect(save).toBeDisabled();
    await userEvent.type(within(dialog).getByLabelText('Note'), ' call Ada ');
    await userEvent.click(save);
    expect(await within(dialog).findByText('too long')).toBeInTheDocument();
    expect(within(dialog).getByLabelText('Note')).toHaveValue(' call Ada ');
    expect(await violations()).toEqual([]);
    service.answer(CHANGE, { ...errorGroup('A'), events: [] });
    await userEvent.click(save);
    await waitFor(() =>
      expect(screen.queryByRole('dialog')).not.toBeInTheDocument(),
    );
    expect(service.askedFor(CHANGE)[1].body).toEqual({
      action: 'note',
      note: 'call Ada',
    });
  });

  it('offers to reopen what is resolved, and not to resolve it again', async () => {
    answer([errorGroup('A', { state: 'resolved' })]);
    await tab();
    await userEvent.click(
      await screen.findByRole('button', { name: /What to do with/ }),
    );
    expect(
      await screen.findByRole('menuitem', { name: 'Reopen' }),
    ).toBeVisible();
    expect(
      screen.queryByRole('menuitem', { name: 'Resolve' }),
    ).not.toBeInTheDocument();
    expect(await violations(screen.getByRole('menu'))).toEqual([]);
  });

  it('offers nothing to those who may not', async () => {
    answer([errorGroup('A', { service: 'locked' })]);
    // What is permitted is remembered beyond a test: this is asked about nothing that another one asks about.
    await tab({
      catalog: [owned('locked')],
      denied: ['dead-letter.message.redeliver'],
    });
    await screen.findByRole('link', { name: 'A' });
    expect(
      screen.queryByRole('button', { name: /What to do with/ }),
    ).not.toBeInTheDocument();
  });

  it('shows ten errors, and all of them when asked', async () => {
    answer(
      Array.from({ length: 12 }, (_, each) =>
        errorGroup('E', { id: `${ID.slice(0, -2)}${each + 10}` }),
      ),
    );
    await tab();
    await screen.findAllByText('E');
    expect(titles()).toHaveLength(10);
    await userEvent.click(screen.getByRole('button', { name: 'Show all 12' }));
    expect(titles()).toHaveLength(12);
  });

  it('says that all is good where there are none', async () => {
    answer([], []);
    const { container } = await tab();
    expect(
      await screen.findByText('No dead letters: all good'),
    ).toBeInTheDocument();
    expect(service.askedFor(GROUPS)).toEqual([]);
    expect(await violations(container)).toEqual([]);
  });

  it('shows nothing to those who may not see it', async () => {
    await tab({
      entity: group('locked'),
      denied: ['dead-letter.message.read'],
    });
    expect(
      await screen.findByText('You may not see these dead letters'),
    ).toBeInTheDocument();
    expect(service.asked).toEqual([]);
  });
});
