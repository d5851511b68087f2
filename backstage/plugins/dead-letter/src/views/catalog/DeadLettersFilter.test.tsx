import { Entity } from '@backstage/catalog-model';
import { EntityFilter } from '@backstage/plugin-catalog-react';
import { MockEntityListContextProvider } from '@backstage/plugin-catalog-react/testUtils';
import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { FakeService } from '../../testing/FakeService';
import { violations } from '../../testing/axe';
import { anOverview } from '../../testing/examples';
import { Shown, component, group, show } from '../../testing/render';
import { DeadLettersFilter } from './DeadLettersFilter';

const service = FakeService.forTests();
const SERVICES = 'GET /dead-letters/service-overview';

function known(entity: Entity): Entity {
  const { metadata } = entity;
  return { ...entity, metadata: { ...metadata, uid: `uid-${metadata.name}` } };
}

/** What the catalog is asked for from then on. */
let filter: EntityFilter | undefined;

function showFilter(queryParameters = {}, shown: Shown = {}) {
  filter = undefined;
  const updateFilters = ({ deadLetters }: any) => {
    filter = deadLetters;
  };
  return show(
    <MockEntityListContextProvider value={{ queryParameters, updateFilters }}>
      <DeadLettersFilter />
    </MockEntityListContextProvider>,
    {
      catalog: [
        known(component('webshop')),
        known(component('shop', { 'dead-letter/service-name': 'mail, sms' })),
        known(component('sms', { 'dead-letter/service-name': 'other' })),
        known(component('quiet')),
        known(group('squad-checkout')),
        known(group('quiet-group')),
      ],
      ...shown,
    },
  );
}

const query = () => filter?.getCatalogQuery?.();

describe('DeadLettersFilter', () => {
  beforeEach(() => {
    service.answer(SERVICES, [
      anOverview('webshop', { count: 5 }),
      anOverview('sms', { count: 900, squad: 'phones' }),
      anOverview('quiet', { count: 0, squad: 'quiet-group' }),
      anOverview('ghost', { count: 3, squad: 'ghosts' }),
    ]);
  });

  it('asks the catalog for what has dead letters, once it is wanted', async () => {
    await showFilter();
    const box = await screen.findByRole('checkbox', {
      name: 'Has dead letters',
    });
    expect(service.askedFor(SERVICES)).toEqual([]);
    await userEvent.click(box);
    await waitFor(() =>
      expect(query()).toEqual({
        'metadata.uid': {
          $in: ['uid-shop', 'uid-webshop', 'uid-squad-checkout'],
        },
      }),
    );
    expect(filter?.toQueryValue?.()).toBe('true');
    expect(filter?.filterEntity?.(known(component('shop')))).toBe(true);
    expect(filter?.filterEntity?.(known(component('quiet')))).toBe(false);
    expect(await violations()).toEqual([]);
    await userEvent.click(box);
    await waitFor(() => expect(filter).toBeUndefined());
  });

  it('is on where the address says so', async () => {
    await showFilter({ deadLetters: 'true' });
    await waitFor(() => expect(query()).toBeDefined());
    expect(screen.getByRole('checkbox')).toBeChecked();
  });

  it('leaves nothing where nothing is dead', async () => {
    service.answer(SERVICES, []);
    await showFilter({ deadLetters: 'true' });
    await waitFor(() =>
      expect(query()).toEqual({ 'metadata.uid': { $in: [] } }),
    );
  });

  it('is not there for those who may see nothing', async () => {
    await showFilter({}, { environments: [] });
    expect(screen.queryByRole('checkbox')).toBeNull();
  });
});
