import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { FakeService, Refusal } from '../../testing/FakeService';
import { violations } from '../../testing/axe';
import { component, group, show } from '../../testing/render';
import { SquadsPage } from './SquadsPage';

const service = FakeService.forTests();

const SQUADS = 'GET /dead-letters/squad-overview';
const SERVICES = 'GET /dead-letters/service-overview';
const OWNERSHIP = 'GET /ownership';

const BY_FILE = { catalog: null, conflicts: [], conflictCount: 0 };

beforeEach(() => service.answer(OWNERSHIP, BY_FILE));

function squad(name: string, messages: number, more = {}) {
  return {
    squad: name,
    messages,
    muted: 0,
    services: 1,
    oldest: '2026-11-24T03:12:45Z',
    newest: '2026-11-24T03:12:45Z',
    trend: { lastHour: 5120, dayBefore: 3 },
    lastDay: { died: 7_200, deleted: 0, redelivered: 7_200 },
    ...more,
  };
}

async function names(): Promise<string[]> {
  const headers = await screen.findAllByRole('rowheader');
  return headers.map(each => each.textContent!);
}

describe('SquadsPage', () => {
  it('leaves what is muted out of the big number, and says how many', async () => {
    service.answer(SQUADS, [squad('checkout', 100, { muted: 60 })]);
    await show(<SquadsPage />);
    expect(
      await screen.findByRole('heading', {
        name: '40 dead letters in 1 service of 1 squad',
      }),
    ).toBeInTheDocument();
    expect(
      screen.getByText('60 more in muted error groups'),
    ).toBeInTheDocument();
    expect(screen.getByText('60 muted')).toBeInTheDocument();
    for (const table of screen.getAllByRole('grid')) {
      expect(table.closest('[data-scrolled]')).not.toBeNull();
    }
  });

  it('shows what is new, of all squads', async () => {
    service.answer(SQUADS, [squad('checkout', 3)]);
    await show(<SquadsPage />, { at: '/?env=demo' });
    const news = await screen.findByRole('list', {
      name: 'New and regressed error groups',
    });
    expect(within(news).getAllByRole('link')[0]).toHaveAttribute(
      'href',
      expect.stringMatching(/^\/dead-letter\/group\?env=demo&id=/),
    );
    expect(
      screen.getByRole('link', { name: 'Open the shift log' }),
    ).toHaveAttribute('href', '/dead-letter/shift-log?env=demo');
  });

  it('says what to configure where there is no environment', async () => {
    await show(<SquadsPage />, { environments: [] });
    expect(
      await screen.findByText(/No dead-letter service is configured/),
    ).toBeVisible();
    expect(service.asked).toEqual([]);
  });

  it('shows nothing of another environment than the address names', async () => {
    await show(<SquadsPage />, { at: '/?env=nope' });
    expect(await screen.findByRole('alert')).toHaveTextContent(
      'There is no environment nope',
    );
    expect(service.asked).toEqual([]);
    service.answer(SQUADS, [squad('checkout', 3)]);
    await userEvent.click(screen.getByRole('button', { name: 'Go to demo' }));
    expect(
      await screen.findByRole('heading', { name: /3 dead letters/ }),
    ).toBeInTheDocument();
  });

  it('says how many there are in all, and where', async () => {
    service.answer(SQUADS, [
      squad('checkout', 43_695, { services: 2 }),
      squad('finance', 5),
    ]);
    await show(<SquadsPage />);
    expect(
      await screen.findByRole('heading', {
        name: '43,700 dead letters in 3 services of 2 squads',
      }),
    ).toBeInTheDocument();
    expect(await violations()).toEqual([]);
  });

  it('leads to the tab of a squad that the catalog has, in this environment', async () => {
    service.answer(SQUADS, [squad('checkout', 3), squad('ghosts', 2)]);
    await show(<SquadsPage />, {
      at: '/?env=demo',
      catalog: [group('checkout')],
    });
    expect(
      await screen.findByRole('link', { name: 'checkout' }),
    ).toHaveAttribute(
      'href',
      '/catalog/default/group/checkout/dead-letters?env=demo',
    );
    expect(await screen.findByText('Not in the catalog')).toBeInTheDocument();
    expect(screen.getByRole('link', { name: 'ghosts' })).toHaveAttribute(
      'href',
      '/dead-letter/squad?env=demo&squad=ghosts',
    );
  });

  it('finds the group whose name has the prefix, and the one that says so', async () => {
    const annotated = group('team-b');
    annotated.metadata.annotations = { 'dead-letter/squad-name': 'finance' };
    service.answer(SQUADS, [squad('nasa', 3), squad('finance', 2)]);
    await show(<SquadsPage />, { catalog: [group('squad-nasa'), annotated] });
    expect(await screen.findByRole('link', { name: 'nasa' })).toHaveAttribute(
      'href',
      expect.stringContaining('/group/squad-nasa/'),
    );
    expect(screen.getByRole('link', { name: 'finance' })).toHaveAttribute(
      'href',
      expect.stringContaining('/group/team-b/'),
    );
  });

  it('says in words how the last hour was against the day before', async () => {
    service.answer(SQUADS, [
      squad('worse', 3),
      squad('better', 2, { trend: { lastHour: 1, dayBefore: 1200 } }),
      squad('alike', 1, { trend: { lastHour: 7, dayBefore: 7 } }),
    ]);
    await show(<SquadsPage />);
    await screen.findByText('▲');
    expect(
      screen.getByText(
        '5,120 in the last hour, more than in the same hour yesterday: 3',
      ),
    ).toBeInTheDocument();
    expect(screen.getByText(/, fewer than in .*: 1,200$/)).toBeInTheDocument();
    expect(screen.getByText(/, as many as in .*: 7$/)).toBeInTheDocument();
  });

  it('sorts by any column, most first', async () => {
    service.answer(SQUADS, [
      squad('b', 1, { oldest: '2026-11-20T00:00:00Z' }),
      squad('a', 3, { oldest: '2026-11-24T00:00:00Z' }),
      squad('c', 2, { oldest: '2026-11-22T00:00:00Z' }),
    ]);
    await show(<SquadsPage />, { catalog: ['a', 'b', 'c'].map(group) });
    expect(await names()).toEqual(['a', 'c', 'b']);
    await userEvent.click(screen.getByRole('columnheader', { name: 'Oldest' }));
    expect(await names()).toEqual(['b', 'c', 'a']);
    await userEvent.click(screen.getByRole('columnheader', { name: 'Squad' }));
    expect(await names()).toEqual(['a', 'b', 'c']);
  });

  it('marks what nobody owns, and shows its services and how to own them', async () => {
    service.answer(SQUADS, [squad('unowned', 7)]);
    service.answer(SERVICES, [
      {
        service: 'orphan',
        squad: 'unowned',
        count: 7,
        muted: 0,
        oldest: null,
        newest: null,
        trend: { lastHour: 0, dayBefore: 0 },
        lastDay: { died: 7, deleted: 0, redelivered: 0 },
      },
      {
        service: 'ghost',
        squad: 'unowned',
        count: 2,
        muted: 0,
        oldest: null,
        newest: null,
        trend: { lastHour: 0, dayBefore: 0 },
        lastDay: { died: 2, deleted: 0, redelivered: 0 },
      },
    ]);
    await show(<SquadsPage />, {
      at: '/?env=demo',
      catalog: [component('orphan')],
    });
    expect(await screen.findByText('no owner')).toBeInTheDocument();
    expect(screen.getByText('DEAD_LETTER_OWNERSHIP_FILE')).toBeInTheDocument();
    expect(
      await screen.findByText('- { service: orphan, squad: checkout }'),
    ).toBeInTheDocument();
    expect(screen.queryByText(/spec\.owner/)).toBeNull();
    const services = await screen.findByRole('grid', {
      name: 'Services and their dead letters',
    });
    expect(
      await within(services).findByRole('link', { name: 'orphan' }),
    ).toBeInTheDocument();
    // Also what is not in the catalog can be opened.
    expect(
      within(services).getByRole('link', { name: 'ghost' }),
    ).toHaveAttribute('href', '/dead-letter/service?env=demo&service=ghost');
    expect(service.askedFor(SERVICES)[0].query).toEqual({ squad: 'unowned' });
    expect(await violations()).toEqual([]);
  });

  it('leads to the catalog where owners come from there', async () => {
    service.answer(SQUADS, [squad('unowned', 7)]);
    service.answer(SERVICES, []);
    service.answer(OWNERSHIP, {
      ...BY_FILE,
      catalog: { asOf: '2026-11-24T03:12:11Z', stale: false },
    });
    await show(<SquadsPage />);
    expect(await screen.findByText('spec.owner')).toBeInTheDocument();
    expect(screen.getByText('dead-letter/service-name')).toBeInTheDocument();
    expect(screen.queryByText('Squads may be out of date')).toBeNull();
  });

  it('says where owners are old, and where the catalog leaves them undecided', async () => {
    const claim = (entity: string, owner: string | null) => ({
      entity: `component:default/${entity}`,
      squad: owner,
    });
    const takesOverAt = '2026-11-25T03:12:11Z';
    const conflict = (name: string, more = {}) => ({
      service: name,
      claims: [claim('webshop', 'checkout'), claim('mallorys', null)],
      takesOverAt: null,
      ...more,
    });
    service.answer(SQUADS, [squad('checkout', 7)]);
    service.answer(OWNERSHIP, {
      catalog: { asOf: '2026-11-24T03:12:11Z', stale: true },
      conflicts: [
        conflict('shop'),
        conflict('mail', { claims: [claim('mails', 'b')], takesOverAt }),
        conflict('third'),
        conflict('fourth'),
      ],
      conflictCount: 4,
    });
    await show(<SquadsPage />);
    await screen.findByText('Squads may be out of date');
    screen.getByText('shop has no owner: components contradict each other');
    expect(
      screen.getAllByText(
        'component:default/webshop says checkout, component:default/mallorys says no squad',
      ),
    ).toHaveLength(2);
    screen.getByText(/^mail has no owner until/);
    screen.getByText(/component:default\/mails says b\.$/);
    screen.getByText('1 more service has no owner for such a reason');
    expect(screen.queryByText(/fourth/)).toBeNull();
    expect(await violations()).toEqual([]);
  });

  it('says that owners are not known before the catalog was read', async () => {
    service.answer(SQUADS, [squad('unowned', 7)]);
    service.answer(SERVICES, []);
    service.answer(OWNERSHIP, {
      ...BY_FILE,
      catalog: { asOf: null, stale: true },
    });
    await show(<SquadsPage />);
    expect(
      await screen.findByText('Squads are not known yet'),
    ).toBeInTheDocument();
  });

  it('keeps a squad for a day though nothing of it waits', async () => {
    service.answer(SQUADS, [
      squad('checkout', 0, { services: 0, oldest: null }),
    ]);
    await show(<SquadsPage />, {
      at: '/?env=demo',
      catalog: [group('checkout')],
    });
    expect(
      await screen.findByRole('heading', { name: '0 dead letters' }),
    ).toBeInTheDocument();
    expect(screen.getByText('No dead letters are waiting')).toBeInTheDocument();
    expect(
      screen.getAllByText(
        'Last 24 h: 7,200 died, 0 deleted, 7,200 redelivered.',
      ),
    ).toHaveLength(2);
    expect(
      await screen.findByRole('link', { name: 'checkout' }),
    ).toBeInTheDocument();
    expect(await violations()).toEqual([]);
  });

  it('searches all services', async () => {
    service.answer(SQUADS, [squad('checkout', 3)]);
    await show(<SquadsPage />, { at: '/?env=demo' });
    const box = await screen.findByRole('searchbox', {
      name: 'Search the dead letters of all services',
    });
    await userEvent.type(box, 'ada@example.com');
    expect(screen.getByRole('button', { name: 'Search' })).toBeEnabled();
  });

  it('says that nothing has died where nothing has', async () => {
    service.answer(SQUADS, []);
    await show(<SquadsPage />);
    expect(
      await screen.findByText('No dead letters are waiting'),
    ).toBeInTheDocument();
    expect(
      screen.getByText('No messages died in the last 24 hours.'),
    ).toBeInTheDocument();
    expect(
      screen.getByRole('heading', { name: '0 dead letters' }),
    ).toBeInTheDocument();
    expect(await violations()).toEqual([]);
  });

  it('says what is wrong where it cannot be asked', async () => {
    service.answer(SQUADS, () => {
      throw new Refusal(400, 'InputError', 'that is no squad');
    });
    await show(<SquadsPage />);
    expect(await screen.findByRole('alert')).toHaveTextContent(
      'that is no squad',
    );
    expect(
      screen.getByRole('button', { name: 'Try again' }),
    ).toBeInTheDocument();
    expect(await violations()).toEqual([]);
  });

  it('takes nothing of one environment for another’s', async () => {
    service.answer(SQUADS, [squad('checkout', 1)]);
    await show(<SquadsPage />, { at: '/?env=demo' });
    expect(await screen.findByText('checkout')).toBeInTheDocument();
    await userEvent.click(screen.getByRole('button', { name: /Environment/ }));
    // The other one has no service in these tests.
    jest.spyOn(console, 'error').mockImplementation(() => {});
    await userEvent.click(screen.getByRole('option', { name: 'other' }));
    await waitFor(() => expect(screen.queryByText('checkout')).toBeNull());
  });
});
