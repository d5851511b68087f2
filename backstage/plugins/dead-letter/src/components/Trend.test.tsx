import { screen } from '@testing-library/react';
import { show } from '../testing/render';
import { Trend } from './Trend';

describe('Trend', () => {
  it.each([
    ['▲', 9, 8, null],
    ['▲', 100, 60, 'more'],
    ['▲', 5_120, 3, 'more'],
    ['▼', 3, 5_120, 'fewer'],
    ['▼', 8, 9, null],
  ])(
    '%s for %d against %d has the colour %s',
    async (arrow, now, before, tone) => {
      await show(<Trend trend={{ lastHour: now, dayBefore: before }} />);
      expect(screen.getByText(arrow).getAttribute('data-trend')).toBe(tone);
    },
  );
});
