import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { FakeService, Refusal, may } from '../../testing/FakeService';
import { anErrorGroup, anOverview } from '../../testing/examples';
import { violations } from '../../testing/axe';
import { Shown, component, group, show } from '../../testing/render';
import { anOperation } from '../operations/examples';
import { SquadPage } from './SquadPage';
import { SquadTab } from './SquadTab';

const service = FakeService.forTests();

const SERVICES = 'GET /dead-letters/service-overview';
const GROUPS = 'GET /dead-letters/error-groups';
const ONE = 'GET /dead-letters/error-groups/{id}';
const CHANGE = 'PATCH /dead-letters/error-groups/{id}';

const IDS = [
  '03bfd559-2582-81db-9da5-e2566c3c3179',
  '98f93955-760e-86d5-84b4-bd4ca6f089d7',
];

function overview(name: string, count: number) {
  return anOverview(name, {
    count,
    lastDay: { died: 20, deleted: 0, redelivered: 20 - count },
  });
}

function errorGroup(index: number, more = {}) {
  return anErrorGroup({ id: IDS[index], ...more });
}

function answerGroups(...groups: object[]) {
  service.answer(GROUPS, { groups, total: groups.length, messages: 20 });
}

const checkout = group('checkout');

function showTab(more: Shown = {}) {
  return show(<SquadTab />, {
    at: '/?env=demo',
    entity: checkout,
    catalog: [component('webshop')],
    ...more,
  });
}

async function openMenu(title = 'card issuer timed out') {
  await userEvent.click(
    await screen.findByRole('button', { name: `Actions for: ${title}` }),
  );
}

async function groupRow(index: number): Promise<HTMLElement> {
  const table = await screen.findByRole('grid', {
    name: 'Error groups of the squad',
  });
  return within(table).getAllByRole('row')[index + 1];
}

describe('SquadTab', () => {
  beforeEach(() => {
    service.answer(SERVICES, [overview('webshop', 15), overview('basket', 5)]);
    answerGroups(errorGroup(0));
    service.answer('GET /operations', { operations: [], nextCursor: null });
    service.answer(ONE, { ...errorGroup(0), events: [], merged: [] });
    service.answer('GET /incidents', { incidents: [], nextCursor: null });
  });

  it('says how many incidents are open, and leads to them', async () => {
    const incident = {
      id: IDS[0],
      kind: 'newErrorGroup',
      severity: 'warning',
      squad: 'checkout',
      services: ['webshop'],
      title: 'New error in webshop: PaymentDeclined',
      openedAt: '2026-11-24T03:12:00Z',
      resolvedAt: null,
      resolution: null,
      dead: 10,
      operationId: null,
      errorGroup: IDS[0],
    };
    service.answer('GET /incidents', {
      incidents: [incident],
      nextCursor: null,
    });
    await showTab();
    expect(await screen.findByText('1 open incident')).toBeInTheDocument();
    expect(screen.getByRole('link', { name: 'Show' })).toHaveAttribute(
      'href',
      '/dead-letter/incidents?env=demo&squad=checkout',
    );
    expect(service.askedFor('GET /incidents')[0].query).toMatchObject({
      squad: 'checkout',
      state: 'open',
    });
  });

  it('shows who is on a group, and only those of whoever looks', async () => {
    answerGroups(
      errorGroup(0, {
        assignee: 'user:default/ada',
        ticket: { url: 'https://t.example/1', key: 'SHOP-1' },
      }),
    );
    await showTab();
    expect(await groupRow(0)).toHaveTextContent('assigned to user:default/ada');
    expect(screen.getByRole('link', { name: /SHOP-1/ })).toHaveAttribute(
      'href',
      'https://t.example/1',
    );
    answerGroups();
    await userEvent.click(
      await screen.findByRole('radio', { name: 'Assigned to me' }),
    );
    expect(await screen.findByText('No such error groups')).toBeInTheDocument();
    expect(service.askedFor(GROUPS).at(-1)!.query).toMatchObject({
      squad: 'checkout',
      assignee: 'me',
    });
  });

  it('shows the services, their shares, and leads to those of the catalog', async () => {
    await showTab();
    expect(
      await screen.findByRole('heading', {
        name: '20 dead letters of checkout',
      }),
    ).toBeInTheDocument();
    expect(
      screen.getByRole('img', {
        name: 'Share of dead letters by service: webshop 75%, basket 25%',
      }),
    ).toBeInTheDocument();
    expect(screen.getByText('75% of all')).toBeInTheDocument();
    expect(
      (await screen.findAllByRole('link', { name: 'webshop' }))[0],
    ).toHaveAttribute(
      'href',
      '/catalog/default/component/webshop/dead-letters?env=demo',
    );
    expect(screen.getByText('Not in the catalog')).toBeInTheDocument();
    expect(await screen.findByText('New')).toBeInTheDocument();
    expect(await violations()).toEqual([]);
  });

  it('asks by the annotation, and finds components by theirs', async () => {
    const entity = group('team-a');
    entity.metadata.annotations = { 'dead-letter/squad-name': 'checkout' };
    await showTab({
      entity,
      catalog: [
        component('webshop'),
        component('shop', { 'dead-letter/service-name': 'webshop' }),
      ],
    });
    expect(
      (await screen.findAllByRole('link', { name: 'webshop' }))[0],
    ).toHaveAttribute(
      'href',
      '/catalog/default/component/shop/dead-letters?env=demo',
    );
    expect(service.askedFor(SERVICES)[0].query).toEqual({ squad: 'checkout' });
    await waitFor(() =>
      expect(service.askedFor(GROUPS)[0].query).toMatchObject({
        squad: 'checkout',
      }),
    );
  });

  it('shows an error group, and leads to its dead letters', async () => {
    await showTab();
    expect(
      await screen.findByRole('link', { name: 'card issuer timed out' }),
    ).toHaveAttribute('href', `/dead-letter/group?env=demo&id=${IDS[0]}`);
    const row = await groupRow(0);
    expect(within(row).getByRole('link', { name: 'webshop' })).toHaveAttribute(
      'href',
      `/catalog/default/component/webshop/dead-letters?env=demo&errorGroup=${IDS[0]}`,
    );
    expect(row).toHaveTextContent('PaymentDeclined');
    expect(row).toHaveTextContent('50% of all');
    expect(
      within(row).getByRole('img', {
        name: '10 in the last 24 hours: at most 7 per hour, 3 in the current hour',
      }),
    ).toBeInTheDocument();
  });

  it('has the newest groups first, or those with the most', async () => {
    answerGroups(
      errorGroup(0, { title: 'old and many', count: 19 }),
      errorGroup(1, {
        title: 'new and few',
        count: 1,
        lastSeen: '2026-11-24T04:00:00Z',
      }),
    );
    await showTab();
    expect(await groupRow(0)).toHaveTextContent('new and few');
    await userEvent.click(screen.getByRole('radio', { name: 'Largest first' }));
    expect(await groupRow(0)).toHaveTextContent('old and many');
  });

  it('shows ten groups, and all of them when asked', async () => {
    answerGroups(
      ...Array.from({ length: 12 }, (_, index) =>
        errorGroup(0, { id: IDS[0].replace(/^../, String(10 + index)) }),
      ),
    );
    await showTab();
    await groupRow(0);
    const rows = () =>
      within(
        screen.getByRole('grid', { name: 'Error groups of the squad' }),
      ).getAllByRole('row').length - 1;
    expect(rows()).toBe(10);
    await userEvent.click(screen.getByRole('button', { name: 'Show all 12' }));
    expect(rows()).toBe(12);
  });

  it('names a group without a text by its reason, and says until when it is muted', async () => {
    answerGroups(
      errorGroup(0, {
        title: null,
        state: 'muted',
        mutedUntil: '2026-11-25T03:00:00Z',
      }),
    );
    await showTab();
    const row = await groupRow(0);
    expect(row).toHaveTextContent('Rejected, no error given');
    expect(row).toHaveTextContent('Muted');
    expect(row).toHaveTextContent(/until .*2026|until .*26/);
  });

  it('resolves a group, says so, and asks again', async () => {
    service.answer(CHANGE, {
      ...errorGroup(0, { state: 'resolved' }),
      events: [],
      merged: [],
    });
    await showTab();
    await openMenu();
    expect(screen.queryByRole('menuitem', { name: 'Reopen …' })).toBeNull();
    answerGroups(errorGroup(0, { state: 'resolved' }));
    await userEvent.click(screen.getByRole('menuitem', { name: 'Resolve …' }));
    const dialog = await screen.findByRole('dialog');
    expect(await violations()).toEqual([]);
    await userEvent.type(
      within(dialog).getByRole('textbox', { name: 'Reason' }),
      'fixed in 42',
    );
    await userEvent.click(
      within(dialog).getByRole('button', { name: 'Resolve' }),
    );
    expect(await screen.findByText('Resolved')).toBeInTheDocument();
    const [asked] = service.askedFor(CHANGE);
    expect(asked.params).toEqual({ id: IDS[0] });
    expect(asked.body).toEqual({ action: 'resolve', note: 'fixed in 42' });
  });

  it.each([
    ['Mute for an hour', 3_600_000],
    ['Mute for 8 hours', 28_800_000],
    ['Mute for a day', 86_400_000],
    ['Mute for a week', 604_800_000],
  ])('%s', async (name, ms) => {
    service.answer(CHANGE, {
      ...errorGroup(0, { state: 'muted' }),
      events: [],
      merged: [],
    });
    await showTab();
    await openMenu();
    await userEvent.click(screen.getByRole('menuitem', { name }));
    await userEvent.click(await screen.findByRole('button', { name: 'Mute' }));
    await waitFor(() => expect(service.askedFor(CHANGE)).toHaveLength(1));
    const { action, mutedUntil } = service.askedFor(CHANGE)[0].body;
    expect(action).toBe('mute');
    expect(Date.parse(mutedUntil) - Date.now()).toBeGreaterThan(ms - 60_000);
    expect(Date.parse(mutedUntil) - Date.now()).toBeLessThanOrEqual(ms);
  });

  it('mutes a group until it doubles', async () => {
    service.answer(CHANGE, {
      ...errorGroup(0, { state: 'muted', mutedUpTo: 20 }),
      events: [],
      merged: [],
    });
    await showTab();
    await openMenu();
    await userEvent.click(
      screen.getByRole('menuitem', {
        name: 'Mute until 10 more arrive (it doubles)',
      }),
    );
    await userEvent.click(await screen.findByRole('button', { name: 'Mute' }));
    await waitFor(() =>
      expect(service.askedFor(CHANGE)[0].body).toEqual({
        action: 'mute',
        mutedCount: 10,
      }),
    );
  });

  it('leaves what is muted out of the big number, and has it last', async () => {
    service.answer(SERVICES, [{ ...overview('webshop', 15), muted: 12 }]);
    answerGroups(
      errorGroup(0, { title: 'loud', lastSeen: '2026-11-24T01:00:00Z' }),
      errorGroup(1, {
        title: 'quiet',
        state: 'muted',
        mutedUpTo: 20,
        assignee: null,
        ticket: null,
        lastSeen: '2026-11-24T04:00:00Z',
      }),
    );
    await showTab();
    expect(
      await screen.findByRole('heading', {
        name: '3 dead letters of checkout',
      }),
    ).toBeInTheDocument();
    expect(
      screen.getByText('12 more in muted error groups'),
    ).toBeInTheDocument();
    expect(screen.getByText('12 muted')).toBeInTheDocument();
    expect(await groupRow(0)).toHaveTextContent('loud');
    expect(await groupRow(1)).toHaveTextContent(
      'until 20 have arrived (10 so far)',
    );
  });

  it('keeps its tables readable where there is little room', async () => {
    await showTab();
    await groupRow(0);
    for (const table of screen.getAllByRole('grid')) {
      expect(table.closest('[data-scrolled]')).not.toBeNull();
    }
  });

  it('reopens what is resolved', async () => {
    answerGroups(errorGroup(0, { state: 'resolved' }));
    service.answer(CHANGE, { ...errorGroup(0), events: [], merged: [] });
    await showTab();
    await openMenu();
    expect(screen.queryByRole('menuitem', { name: 'Resolve …' })).toBeNull();
    await userEvent.click(screen.getByRole('menuitem', { name: 'Reopen …' }));
    await userEvent.click(
      await screen.findByRole('button', { name: 'Reopen' }),
    );
    await waitFor(() =>
      expect(service.askedFor(CHANGE)[0].body).toEqual({ action: 'reopen' }),
    );
  });

  it('writes a note', async () => {
    service.answer(CHANGE, { ...errorGroup(0), events: [], merged: [] });
    await showTab();
    await openMenu();
    await userEvent.click(screen.getByRole('menuitem', { name: /Notes/ }));
    const dialog = await screen.findByRole('dialog');
    const save = within(dialog).getByRole('button', { name: 'Add note' });
    expect(save).toBeDisabled();
    await userEvent.type(
      within(dialog).getByRole('textbox', { name: 'New note' }),
      'card issuer is down',
    );
    expect(await violations()).toEqual([]);
    await userEvent.click(save);
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    expect(service.askedFor(CHANGE)[0].body).toEqual({
      action: 'note',
      note: 'card issuer is down',
    });
  });

  it('shows what was said before', async () => {
    const event = (action: string, more = {}) => ({
      action,
      by: 'user:default/ada',
      at: '2026-11-24T03:12:45Z',
      note: null,
      mutedUntil: null,
      mutedCount: null,
      assignee: null,
      ticket: null,
      groups: [],
      version: null,
      ...more,
    });
    service.answer(ONE, {
      ...errorGroup(0),
      merged: [],
      events: [
        event('note', { note: 'asked the issuer' }),
        event('mute', { mutedUntil: '2026-11-25T03:00:00Z' }),
      ],
    });
    await showTab();
    await openMenu();
    await userEvent.click(screen.getByRole('menuitem', { name: /Notes/ }));
    expect(await screen.findByText('asked the issuer')).toBeInTheDocument();
    const said = screen
      .getAllByRole('listitem')
      .map(each => each.textContent)
      .filter(each => each!.startsWith('user:'));
    expect(said).toEqual([
      expect.stringMatching(/^user:default\/ada added a note /),
      expect.stringMatching(/^user:default\/ada muted the group until /),
    ]);
  });

  it('keeps a note that could not be written', async () => {
    service.answer(CHANGE, () => {
      throw new Refusal(400, 'InputError', 'notes are too long');
    });
    await showTab();
    await openMenu();
    await userEvent.click(screen.getByRole('menuitem', { name: /Notes/ }));
    const dialog = await screen.findByRole('dialog');
    await userEvent.type(within(dialog).getByRole('textbox'), 'long story');
    await userEvent.click(
      within(dialog).getByRole('button', { name: 'Add note' }),
    );
    expect(await within(dialog).findByRole('alert')).toHaveTextContent(
      'notes are too long',
    );
    expect(within(dialog).getByRole('textbox')).toHaveValue('long story');
  });

  it('lets only those change a group who may', async () => {
    answerGroups(
      errorGroup(0, { service: 'webshop' }),
      errorGroup(1, { service: 'vault' }),
    );
    service.answer('GET /me', may({ triage: ['webshop'] }));
    await showTab();
    const [its, other] = [await groupRow(0), await groupRow(1)];
    const menu = { name: /Actions for/ };
    expect(await within(its).findByRole('button', menu)).toBeInTheDocument();
    expect(within(other).queryByRole('button', menu)).toBeNull();
  });

  it('shows nothing to who may not read', async () => {
    await showTab({
      entity: group('strangers'),
      denied: ['dead-letter.message.read'],
    });
    expect(
      await screen.findByText('You do not have access to these dead letters'),
    ).toBeInTheDocument();
    expect(service.asked.map(({ path }) => path)).toEqual(['/me']);
    expect(await violations()).toEqual([]);
  });

  it('keeps for a day what is all put back, to be opened and resolved', async () => {
    service.answer(SERVICES, [overview('webshop', 0)]);
    answerGroups(errorGroup(0, { count: 0, share: 0 }));
    service.answer(CHANGE, {
      ...errorGroup(0, { state: 'resolved' }),
      events: [],
      merged: [],
    });
    await showTab();
    expect(
      await screen.findByText('No dead letters are waiting'),
    ).toBeInTheDocument();
    expect(
      screen.getAllByText('Last 24 h: 20 died, 0 deleted, 20 redelivered.'),
    ).toHaveLength(2);
    expect(
      await screen.findByRole('link', { name: 'card issuer timed out' }),
    ).toHaveAttribute('href', `/dead-letter/group?env=demo&id=${IDS[0]}`);
    expect(
      within(await groupRow(0)).getByRole('link', { name: 'webshop' }),
    ).toHaveAttribute(
      'href',
      `/catalog/default/component/webshop/dead-letters?env=demo&errorGroup=${IDS[0]}&status=any`,
    );
    expect(await violations()).toEqual([]);
    await openMenu();
    await userEvent.click(screen.getByRole('menuitem', { name: 'Resolve …' }));
    await userEvent.click(
      await screen.findByRole('button', { name: 'Resolve' }),
    );
    await waitFor(() =>
      expect(service.askedFor(CHANGE)[0].body).toEqual({ action: 'resolve' }),
    );
  });

  it('shows the operations of the squad', async () => {
    const { edit, events, returns, ...operation } = anOperation({
      state: 'paused',
    });
    service.answer('GET /operations', ({ query }: any) => ({
      operations: query.state ? [operation] : [],
      nextCursor: null,
    }));
    await showTab();
    expect(
      await screen.findByRole('article', { name: 'Redelivery' }),
    ).toHaveTextContent('Started by user:default/guest');
    expect(service.askedFor('GET /operations')[0].query).toMatchObject({
      squad: 'checkout',
    });
  });

  it('shows a squad that the catalog does not have', async () => {
    await show(<SquadPage />, { at: '/?env=demo&squad=ghosts' });
    expect(
      await screen.findByRole('heading', { name: '20 dead letters of ghosts' }),
    ).toBeInTheDocument();
    expect(
      (await screen.findAllByRole('link', { name: 'webshop' }))[0],
    ).toHaveAttribute('href', '/dead-letter/service?env=demo&service=webshop');
  });

  it('says that nothing has died where nothing has', async () => {
    service.answer(SERVICES, []);
    await showTab();
    expect(
      await screen.findByText('No dead letters are waiting'),
    ).toBeInTheDocument();
    expect(
      screen.getByText('No messages died in the last 24 hours.'),
    ).toBeInTheDocument();
    expect(await violations()).toEqual([]);
  });

  it('shows the services where the error groups fail', async () => {
    service.answer(GROUPS, () => {
      throw new Refusal(400, 'InputError', 'that is no squad');
    });
    await showTab();
    expect(await screen.findByRole('alert')).toHaveTextContent(
      'that is no squad',
    );
    expect(screen.getByText('75% of all')).toBeInTheDocument();
    expect(await violations()).toEqual([]);
  });
});
