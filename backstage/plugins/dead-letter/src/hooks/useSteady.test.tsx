import { act, fireEvent, render, screen } from '@testing-library/react';
import { useSteady } from './useSteady';

function List({ rows, choice = '' }: { rows: string[]; choice?: string }) {
  const { rows: steady, hold } = useSteady(rows, each => each, choice);
  return (
    <div data-testid="list" {...hold}>
      {steady.map(each => (
        <button key={each}>{each}</button>
      ))}
    </div>
  );
}

const shown = () =>
  screen.getAllByRole('button').map(({ textContent }) => textContent);

describe('useSteady', () => {
  it('keeps rows where they are while the pointer is among them', () => {
    const { rerender } = render(<List rows={['a', 'b', 'c']} />);
    fireEvent.pointerEnter(screen.getByTestId('list'));
    rerender(<List rows={['d', 'c', 'a']} />);
    expect(shown()).toEqual(['a', 'c', 'd']);
    fireEvent.pointerLeave(screen.getByTestId('list'));
    expect(shown()).toEqual(['d', 'c', 'a']);
  });

  it('keeps them while the focus is among them', () => {
    const { rerender } = render(<List rows={['a', 'b']} />);
    act(() => screen.getByText('b').focus());
    rerender(<List rows={['b', 'a']} />);
    expect(shown()).toEqual(['a', 'b']);
    act(() => screen.getByText('a').focus());
    expect(shown()).toEqual(['a', 'b']);
    act(() => screen.getByText('a').blur());
    expect(shown()).toEqual(['b', 'a']);
  });

  it('follows another choice of order at once', () => {
    const { rerender } = render(<List rows={['a', 'b']} />);
    fireEvent.pointerEnter(screen.getByTestId('list'));
    rerender(<List rows={['b', 'a']} choice="other" />);
    expect(shown()).toEqual(['b', 'a']);
  });
});
