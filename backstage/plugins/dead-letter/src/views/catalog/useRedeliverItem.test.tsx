import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { FakeService } from '../../testing/FakeService';
import { violations } from '../../testing/axe';
import { Shown, component, group, show } from '../../testing/render';
import { aPlan, anOperation } from '../operations/examples';
import { isOneService, useRedeliverItem } from './useRedeliverItem';

const service = FakeService.forTests();

/** As Backstage shows an item of the menu. */
function Item() {
  const { title, disabled, onClick } = useRedeliverItem();
  return (
    <button disabled={disabled} onClick={onClick}>
      {title}
    </button>
  );
}

async function showItem(shown: Shown = {}) {
  await show(<Item />, { entity: component('webshop'), ...shown });
  return screen.findByRole('button', { name: 'Redeliver dead letters…' });
}

describe('the item in the menu of a component', () => {
  it('plans to redeliver what is dead of its service, and runs that', async () => {
    service.answer('POST /operations/plan', () => aPlan());
    service.answer('POST /operations', () => anOperation({}));
    const item = await showItem();
    await waitFor(() => expect(item).toBeEnabled());
    await userEvent.click(item);
    const run = await screen.findByRole('button', { name: /^Redeliver \d/ });
    expect(service.askedFor('POST /operations/plan')[0].body).toMatchObject({
      kind: 'redeliver',
      filter: { service: 'webshop' },
    });
    expect(service.askedFor('POST /operations')).toEqual([]);
    expect(await violations()).toEqual([]);
    await userEvent.click(run);
    await waitFor(() =>
      expect(service.askedFor('POST /operations')).toHaveLength(1),
    );
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  });

  it.each([
    ['Backstage denies it', { denied: ['dead-letter.message.redeliver'] }],
    ['no environment is configured', { environments: [] }],
    ['the address names an unknown environment', { at: '/?env=unknown' }],
  ])('is disabled where %s', async (_, shown) => {
    const item = await showItem(shown);
    await waitFor(() => expect(item).toBeDisabled());
  });

  it('is for components that are one service', () => {
    const several = { 'dead-letter/service-name': 'webshop, basket' };
    expect(isOneService(component('webshop'))).toBe(true);
    expect(isOneService(component('shop', several))).toBe(false);
    expect(isOneService(group('checkout'))).toBe(false);
  });
});
