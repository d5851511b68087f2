import { render, screen, within } from '@testing-library/react';
import { Donut } from './Donut';

function rendered(values: number[]) {
  render(
    <Donut
      slices={values.map((value, index) => ({ label: `s${index}`, value }))}
      label="shares"
      others={count => `${count} others`}
    />,
  );
  return screen.getAllByRole('listitem').map(each => each.textContent);
}

describe('Donut', () => {
  it('says each share in numbers', () => {
    expect(rendered([3, 1])).toEqual(['s0375%', 's1125%']);
    expect(
      within(screen.getByRole('img', { name: 'shares' })).queryByText('s0'),
    ).toBeNull();
  });

  it('shows six, and the others as one', () => {
    const legend = rendered([10, 9, 8, 7, 6, 5, 3, 2]);
    expect(legend).toHaveLength(7);
    expect(legend[6]).toBe('2 others510%');
  });

  it('closes the ring', () => {
    rendered([1, 1, 2]);
    const parts = [
      ...screen.getByRole('img', { name: 'shares' }).querySelectorAll('circle'),
    ].map(each => [
      Number(each.getAttribute('stroke-dasharray')!.split(' ')[0]),
      Number(each.getAttribute('stroke-dashoffset')),
    ]);
    const whole = 2 * Math.PI * 40;
    // Each begins where the one before ends; the gap is part of it.
    expect(parts.map(([, offset]) => offset / whole)).toEqual([0, -0.25, -0.5]);
    expect(parts.reduce((sum, [length]) => sum + length, 0)).toBeCloseTo(
      whole - 3 * 1.5,
    );
  });

  it('shows nothing of nothing', () => {
    const { container } = render(
      <Donut slices={[]} label="shares" others={String} />,
    );
    expect(container).toBeEmptyDOMElement();
  });
});
