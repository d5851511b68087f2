import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { FakeService, Refusal } from '../../testing/FakeService';
import { violations } from '../../testing/axe';
import { component, group, show } from '../../testing/render';
import { SquadsPage } from './SquadsPage';

const service = FakeService.forTests();

const SQUADS = 'GET /dead-letters/squad-overview';
const SERVICES = 'GET /dead-letters/service-overview';
const HOUR_MS = 3_600_000;
const hoursAgo = (hours: number) =>
  new Date(Date.now() - hours * HOUR_MS).toISOString();

function squad(name: string, messages: number, trend = [0, 0]) {
  return {
    squad: name,
    messages,
    services: 2,
    oldest: hoursAgo(messages),
    newest: hoursAgo(1),
    trend: { lastHour: trend[0], dayBefore: trend[1] },
  };
}

/** The first cell of each row. */
async function names(): Promise<string[]> {
  const table = await screen.findByRole('grid', { name: /Squads with/ });
  return within(table)
    .getAllByRole('rowheader')
    .map(each => each.textContent!);
}

describe('SquadsPage', () => {
  it('says how many there are, and shows squads with most first', async () => {
    service.answer(SQUADS, [
      squad('finance', 7, [1, 4]),
      squad('checkout', 43_695, [5_120, 3]),
    ]);
    await show(<SquadsPage />, { catalog: [group('checkout')] });
    await screen.findByRole('link', { name: 'checkout' });
    expect(await names()).toEqual([
      'checkout',
      'financeNo such group in the catalog',
    ]);
    expect(screen.getByText('43,702')).toBeInTheDocument();
    const [, checkout, finance] = screen.getAllByRole('row');
    expect(checkout).toHaveTextContent('▲ 5,120(3 the day before)');
    expect(finance).toHaveTextContent(/Fewer: 1 in the last hour, 4 in the/);
    expect(checkout).toHaveTextContent(/years? ago|days ago/);
    expect(await violations()).toEqual([]);
  });

  it('links to the group of the catalog, in this environment, whatever its prefix or annotation', async () => {
    const nasa = group('squad-nasa');
    const apollo = group('moon');
    apollo.metadata.annotations = { 'dead-letter/squad-name': 'apollo' };
    service.answer(SQUADS, [squad('nasa', 5), squad('apollo', 4)]);
    await show(<SquadsPage />, { at: '/?env=demo', catalog: [nasa, apollo] });
    expect(await screen.findByRole('link', { name: 'nasa' })).toHaveAttribute(
      'href',
      '/catalog/default/group/squad-nasa/dead-letters?env=demo',
    );
    expect(screen.getByRole('link', { name: 'apollo' })).toHaveAttribute(
      'href',
      '/catalog/default/group/moon/dead-letters?env=demo',
    );
  });

  it('sorts by the column whose head is pressed', async () => {
    service.answer(SQUADS, [squad('b', 9), squad('a', 5), squad('c', 7)]);
    await show(<SquadsPage />, {
      catalog: ['a', 'b', 'c'].map(group),
    });
    expect(await names()).toEqual(['b', 'c', 'a']);
    await userEvent.click(screen.getByRole('columnheader', { name: 'Squad' }));
    expect(await names()).toEqual(['a', 'b', 'c']);
  });

  it('lists what nobody owns, and goes there', async () => {
    service.answer(SQUADS, [squad('unowned', 3)]);
    service.answer(SERVICES, ({ query }) => [
      {
        service: 'legacy',
        squad: query.squad,
        count: 3,
        oldest: hoursAgo(2),
        newest: hoursAgo(1),
        trend: { lastHour: 0, dayBefore: 0 },
      },
    ]);
    await show(<SquadsPage />, { catalog: [component('legacy')] });
    expect(await screen.findByText('unowned')).toBeInTheDocument();
    const section = screen.getByRole('region', { name: /nobody owns/ });
    expect(
      await within(section).findByRole('link', { name: 'legacy' }),
    ).toHaveAttribute(
      'href',
      '/catalog/default/component/legacy/dead-letters?env=demo',
    );
    expect(service.askedFor(SERVICES)[0].query).toEqual({ squad: 'unowned' });
    expect(section).toHaveTextContent(/spec\.owner/);
    await userEvent.click(
      screen.getByRole('button', { name: /Show services/ }),
    );
    expect(section).toHaveFocus();
    expect(await violations()).toEqual([]);
  });

  it('finds squads by name once there are many', async () => {
    service.answer(
      SQUADS,
      Array.from({ length: 11 }, (_, each) => squad(`squad-${each}x`, 20)),
    );
    await show(<SquadsPage />);
    await userEvent.type(
      await screen.findByRole('searchbox', { name: 'Filter squads' }),
      '10X',
    );
    expect((await names()).map(each => each.slice(0, 9))).toEqual([
      'squad-10x',
    ]);
    await userEvent.type(screen.getByRole('searchbox'), 'no');
    expect(
      await screen.findByText('No squad is called like that.'),
    ).toBeInTheDocument();
    expect(await violations()).toEqual([]);
  });

  it('says that all is good where there are none', async () => {
    service.answer(SQUADS, []);
    await show(<SquadsPage />);
    expect(
      await screen.findByText('No dead letters: all good'),
    ).toBeInTheDocument();
    expect(screen.queryByRole('searchbox')).not.toBeInTheDocument();
    expect(await violations()).toEqual([]);
  });

  it('says what is wrong, and asks again on a press', async () => {
    service.answer(SQUADS, () => {
      throw new Refusal(403, 'NotAllowedError', 'not for you');
    });
    await show(<SquadsPage />);
    expect(await screen.findByRole('alert')).toHaveTextContent('not for you');
    expect(await violations()).toEqual([]);
    service.answer(SQUADS, [squad('checkout', 5)]);
    await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
    await waitFor(() =>
      expect(screen.queryByRole('alert')).not.toBeInTheDocument(),
    );
    expect(await names()).toHaveLength(1);
  });
});
