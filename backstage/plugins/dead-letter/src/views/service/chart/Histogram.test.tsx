import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { exampleOf, openApi } from '../../../testing/document';
import {
  example,
  has,
  message,
  pages,
  service,
  tab,
} from '../../../testing/serviceTab';
import { seriesOf } from './series';

const GROUPS = 'GET /dead-letters/error-groups';
const HISTOGRAM = 'GET /dead-letters/histogram';
const ONE = '5f0c8e1d-9a2b-8c3d-a4e5-f60718293a4b';
const OTHER = '6f0c8e1d-9a2b-8c3d-a4e5-f60718293a4c';

const series = (value: string | null, counts: number[], others = false) => ({
  value,
  others,
  count: counts.reduce((sum, each) => sum + each, 0),
  counts,
});

const counts = {
  from: '2026-11-24T03:00:00Z',
  to: '2026-11-24T03:15:00Z',
  interval: '5m',
  starts: [
    '2026-11-24T03:00:00Z',
    '2026-11-24T03:05:00Z',
    '2026-11-24T03:10:00Z',
  ],
  series: [series(ONE, [4, 0, 1]), series(OTHER, [0, 0, 2])],
};

const bars = () => screen.getAllByRole('button', { name: /arrived from/ });

beforeEach(() => {
  has(7);
  service.answer(HISTOGRAM, counts);
});

describe('the chart', () => {
  it('covers all that is listed: it begins with the oldest', async () => {
    await tab();
    await screen.findAllByRole('button', { name: /arrived from/ });
    expect(service.askedFor(HISTOGRAM).map(({ query }) => query)).toEqual([
      { service: 'webshop', from: example.receivedAt, by: 'errorGroup' },
    ]);
  });

  it('covers the time that is asked for', async () => {
    await tab({ at: '/?from=2026-11-01T00:00:00Z' });
    await screen.findAllByRole('button', { name: /arrived from/ });
    expect(service.askedFor(HISTOGRAM)[0].query.from).toBe(
      '2026-11-01T00:00:00Z',
    );
  });

  it('has a scale and counts, and is used by keyboard', async () => {
    await tab();
    await screen.findAllByRole('button', { name: /arrived from/ });
    expect(
      screen.getByRole('figure', { name: /7 arrived .* at most 4 per 5m/ }),
    ).toBeInTheDocument();
    expect(bars()).toHaveLength(2);
    bars()[0].focus();
    await userEvent.keyboard('{ArrowRight}');
    expect(bars()[1]).toHaveFocus();
    expect(screen.getByText(/^3 from/)).toBeInTheDocument();
    await userEvent.keyboard('{Enter}');
    await waitFor(() =>
      expect(pages().at(-1)).toMatchObject({
        from: '2026-11-24T03:10:00Z',
        to: '2026-11-24T03:15:00Z',
      }),
    );
  });

  it('names the error groups, and lists one that is pressed', async () => {
    const { ErrorGroups } = openApi.components.schemas;
    const [group] = (exampleOf(ErrorGroups) as any).groups;
    service.answer(GROUPS, {
      groups: [group, { ...group, id: OTHER, title: 'no stock' }],
      total: 2,
      messages: 7,
    });
    await tab();
    const legend = await screen.findByRole('list', { name: 'Error group' });
    await userEvent.click(
      await within(legend).findByRole('button', { name: /no stock.*2/ }),
    );
    await waitFor(() => expect(pages().at(-1)!.errorGroup).toBe(OTHER));
    // Of one alone there is nothing to tell apart.
    await waitFor(() =>
      expect(screen.queryByRole('list', { name: 'Error group' })).toBeNull(),
    );
  });

  it('adds up what has no colour of its own', () => {
    const many = Array.from({ length: 8 }, (_, at) =>
      series(at < 7 ? `group ${at}` : null, [8 - at, 1, 0], at === 7),
    );
    const shown = seriesOf({ ...counts, series: many } as never);
    expect(shown).toHaveLength(5);
    expect(shown[4]).toEqual({
      group: undefined,
      isOthers: true,
      count: 14,
      counts: [10, 4, 0],
    });
  });
});

describe('a row', () => {
  it('tells of notes on its error group', async () => {
    const { ErrorGroups } = openApi.components.schemas;
    const [group] = (exampleOf(ErrorGroups) as any).groups;
    service.answer(GROUPS, {
      groups: [{ ...group, id: OTHER, notes: 2 }],
      total: 1,
      messages: 7,
    });
    service.answer('GET /dead-letters', {
      messages: [
        { ...message(0), errorGroup: OTHER },
        { ...message(1), errorGroup: ONE },
      ],
      total: { value: 2, relation: 'eq' },
      nextCursor: null,
      prevCursor: null,
    });
    await tab();
    await screen.findByText('m-0');
    // The other group has none.
    expect(
      await screen.findByRole('link', { name: 'Notes on this error group' }),
    ).toHaveAttribute('href', expect.stringContaining(`id=${OTHER}`));
  });
});
