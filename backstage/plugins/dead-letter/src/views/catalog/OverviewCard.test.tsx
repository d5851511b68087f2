import { screen, waitFor, within } from '@testing-library/react';
import { FakeService, Refusal, may } from '../../testing/FakeService';
import { violations } from '../../testing/axe';
import { Shown, component, group, show } from '../../testing/render';
import { anErrorGroup, anOverview } from '../../testing/examples';
import { ServiceCard, SquadCard } from './OverviewCard';

const service = FakeService.forTests();
const SERVICES = 'GET /dead-letters/service-overview';
const GROUPS = 'GET /dead-letters/error-groups';

const SEVERAL = component('shop', {
  'dead-letter/service-name': 'webshop, basket',
});

function showCard(shown: Shown = {}) {
  return show(<ServiceCard />, { entity: component('webshop'), ...shown });
}

/** The definition of a term. */
const fact = async (term: string) =>
  (await screen.findByText(term)).nextElementSibling;

describe('the card of a component', () => {
  beforeEach(() => {
    service.answer(SERVICES, [
      anOverview('webshop', { count: 1_200, muted: 200 }),
      anOverview('basket', { count: 5, oldest: '2026-11-23T03:12:45Z' }),
      anOverview('mail', { count: 7 }),
    ]);
    service.answer(GROUPS, ({ query }: any) => ({
      groups: [
        anErrorGroup({ title: 'hushed', state: 'muted', count: 900 }),
        anErrorGroup({
          id: '98f93955-760e-86d5-84b4-bd4ca6f089d7',
          title: `failed in ${query.service ?? query.squad}`,
          count: query.service === 'basket' ? 5 : 300,
        }),
      ],
      total: 2,
      messages: 1_200,
    }));
  });

  it('says how many are dead, since when, how it goes, and why', async () => {
    await showCard();
    expect(await screen.findByText('1,000 dead letters')).toBeInTheDocument();
    expect(await fact('Last hour')).toHaveTextContent('5');
    expect(
      within((await fact('Oldest')) as HTMLElement).getByRole('note'),
    ).toHaveAttribute('datetime', '2026-11-24T03:12:45Z');
    const worst = (await fact('Largest error group')) as HTMLElement;
    expect(worst).toHaveTextContent('failed in webshop');
    expect(worst).toHaveTextContent('300 dead letters');
    expect(within(worst).getByRole('link')).toHaveAttribute(
      'href',
      '/dead-letter/group?env=demo&id=98f93955-760e-86d5-84b4-bd4ca6f089d7',
    );
    expect(screen.getByRole('link', { name: 'Show all' })).toHaveAttribute(
      'href',
      '/catalog/default/component/webshop/dead-letters?env=demo',
    );
    expect(await violations()).toEqual([]);
  });

  it('adds up the services of a component that is several', async () => {
    await showCard({ entity: SEVERAL });
    expect(await screen.findByText('1,005 dead letters')).toBeInTheDocument();
    expect(await fact('Last hour')).toHaveTextContent('10');
    expect(
      within((await fact('Oldest')) as HTMLElement).getByRole('note'),
    ).toHaveAttribute('datetime', '2026-11-23T03:12:45Z');
    expect(await fact('Largest error group')).toHaveTextContent(
      'failed in webshop',
    );
    expect(service.askedFor(GROUPS).map(each => each.query.service)).toEqual([
      'webshop',
      'basket',
    ]);
  });

  it('says that nothing waits', async () => {
    service.answer(SERVICES, []);
    await showCard();
    expect(
      await screen.findByText('No dead letters are waiting'),
    ).toBeInTheDocument();
    expect(service.askedFor(GROUPS)).toEqual([]);
  });

  it('names the environment where there are several', async () => {
    await showCard();
    expect(
      await screen.findByRole('heading', { name: 'Dead letters in demo' }),
    ).toBeInTheDocument();
  });

  it('says that nothing answers', async () => {
    service.answer(SERVICES, () => {
      throw new Refusal(400, 'InputError', 'it is broken');
    });
    await showCard();
    expect(await screen.findByText(/it is broken/)).toBeInTheDocument();
  });

  it.each([
    ['Backstage denies it', { denied: ['dead-letter.message.read'] }],
    ['no environment is configured', { environments: [] }],
    ['the address names an unknown environment', { at: '/?env=unknown' }],
    [
      'it is no service',
      { entity: component('webshop', { 'dead-letter/service-name': '' }) },
    ],
  ])('is not there where %s', async (_, shown) => {
    const { container } = await showCard(shown);
    await waitFor(() =>
      expect(within(container).queryByText(/dead letters/i)).toBeNull(),
    );
    expect(service.askedFor(SERVICES)).toEqual([]);
  });

  it('is not there where dead-letter denies it', async () => {
    service.answer('GET /me', may({ read: [] }));
    await showCard();
    await waitFor(() => expect(service.askedFor('GET /me')).toHaveLength(1));
    await new Promise(requestAnimationFrame);
    expect(screen.queryByText(/dead letters/i)).toBeNull();
    expect(service.askedFor(SERVICES)).toEqual([]);
  });
});

describe('the card of a group', () => {
  it('is about all services of its squad', async () => {
    service.answer(SERVICES, [
      anOverview('webshop', { count: 12 }),
      anOverview('basket', { count: 5 }),
    ]);
    service.answer(GROUPS, {
      groups: [anErrorGroup({ title: 'card issuer timed out' })],
      total: 1,
      messages: 17,
    });
    const squad = group('team-a');
    squad.metadata.annotations = { 'dead-letter/squad-name': 'checkout' };
    await show(<SquadCard />, { entity: squad });
    expect(await screen.findByText('17 dead letters')).toBeInTheDocument();
    expect(await fact('Largest error group')).toHaveTextContent(
      'card issuer timed out',
    );
    expect(service.askedFor(SERVICES)[0].query).toEqual({ squad: 'checkout' });
    expect(service.askedFor(GROUPS)[0].query).toMatchObject({
      squad: 'checkout',
    });
    expect(screen.getByRole('link', { name: 'Show all' })).toHaveAttribute(
      'href',
      '/catalog/default/group/team-a/dead-letters?env=demo',
    );
  });
});
