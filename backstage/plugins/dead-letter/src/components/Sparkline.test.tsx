import { render, screen } from '@testing-library/react';
import { Sparkline } from './Sparkline';

const heights = (values: number[]) => {
  render(<Sparkline values={values} label="went up" />);
  return [
    ...screen.getByRole('img', { name: 'went up' }).querySelectorAll('rect'),
  ].map(each => Number(each.getAttribute('height')));
};

describe('Sparkline', () => {
  it('is as high as the highest value', () => {
    expect(heights([0, 5, 10])).toEqual([0, 12, 24]);
  });

  it('shows one of many', () => {
    expect(heights([1, 100_000])[0]).toBeGreaterThan(1);
  });

  it('is flat where there is nothing', () => {
    expect(heights([0, 0])).toEqual([0, 0]);
  });
});
