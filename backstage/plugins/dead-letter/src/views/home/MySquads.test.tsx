import { screen, within } from '@testing-library/react';
import { FakeService, may } from '../../testing/FakeService';
import { violations } from '../../testing/axe';
import { Shown, group, show } from '../../testing/render';
import { MySquads } from './MySquads';

const service = FakeService.forTests();

function overview(squad: string, messages: number, more = {}) {
  return {
    squad,
    messages,
    muted: 0,
    services: 1,
    oldest: messages > 0 ? '2026-11-24T03:12:45Z' : null,
    newest: '2026-11-24T03:12:45Z',
    trend: { lastHour: 5, dayBefore: 3 },
    lastDay: { died: 20, deleted: 0, redelivered: 20 },
    ...more,
  };
}

const renamed = group('team-b');
renamed.metadata.annotations = { 'dead-letter/squad-name': 'loans' };

function showMine(shown: Shown = {}) {
  return show(<MySquads />, {
    groups: ['user:default/ada', 'group:default/checkout'],
    catalog: [group('checkout'), group('squad-cards'), renamed],
    ...shown,
  });
}

async function rows() {
  const table = await screen.findByRole('grid', {
    name: 'My squads and their dead letters',
  });
  return within(table)
    .getAllByRole('row')
    .slice(1)
    .map(row => row.textContent);
}

describe('MySquads', () => {
  beforeEach(() => {
    service.answer('GET /dead-letters/squad-overview', [
      overview('checkout', 1_200, { muted: 200 }),
      overview('cards', 3),
      overview('loans', 0),
      overview('ghosts', 9),
    ]);
  });

  it('has the squads of the user, and leads to them', async () => {
    await showMine();
    expect(await rows()).toEqual([expect.stringContaining('checkout1,000')]);
    expect(screen.getByRole('link', { name: 'checkout' })).toHaveAttribute(
      'href',
      '/catalog/default/group/checkout/dead-letters?env=demo',
    );
    expect(
      screen.getByRole('link', { name: 'Show all squads' }),
    ).toHaveAttribute('href', '/dead-letter/squads?env=demo');
    expect(await violations()).toEqual([]);
  });

  it('knows squads by the annotation of their group, and without their prefix', async () => {
    await showMine({
      groups: ['group:default/squad-cards', 'Group:default/Team-B'],
    });
    expect(await rows()).toEqual([
      expect.stringContaining('cards3'),
      expect.stringMatching(/^loans0Last 24 h: 20 died/),
    ]);
  });

  it('says that nothing waits', async () => {
    await showMine({ groups: ['group:default/empty'] });
    expect(
      await screen.findByText('No dead letters are waiting'),
    ).toBeInTheDocument();
  });

  it('says that the user belongs to no group', async () => {
    await showMine({ groups: ['user:default/ada'] });
    expect(
      await screen.findByText('You belong to no group of the catalog'),
    ).toBeInTheDocument();
  });

  it('says so to those who may see nothing', async () => {
    service.answer('GET /me', may({ read: [] }));
    await showMine();
    expect(
      await screen.findByText('You do not have access to these dead letters'),
    ).toBeInTheDocument();
    expect(service.askedFor('GET /dead-letters/squad-overview')).toEqual([]);
  });
});
