import { HTMLAttributes, useRef, useState } from 'react';

/**
 * Keeps rows in the order that they have while the pointer or the focus is among them: a click hits the row that it was meant for.
 * What each row says goes on. Rows that are new come last meanwhile, and those that are gone leave.
 */
export function useSteady<T>(
  rows: T[],
  keyOf: (row: T) => string,
  /** What the reader chose: another choice is another order at once. */
  choice: unknown,
): { rows: T[]; hold: HTMLAttributes<HTMLElement> } {
  const [isPointed, setPointed] = useState(false);
  const [isFocused, setFocused] = useState(false);
  const kept = useRef<{ choice: unknown; keys: string[] }>();
  const key = JSON.stringify(choice);
  const isHeld = isPointed || isFocused;
  const held = isHeld && kept.current?.choice === key ? kept.current.keys : [];
  const places = new Map(held.map((each, place) => [each, place]));
  const placeOf = (row: T) => places.get(keyOf(row)) ?? held.length;
  // Sorting keeps the order of those that have none.
  const steady = [...rows].sort((one, other) => placeOf(one) - placeOf(other));
  kept.current = { choice: key, keys: steady.map(keyOf) };
  return {
    rows: steady,
    hold: {
      onPointerEnter: () => setPointed(true),
      onPointerLeave: () => setPointed(false),
      onFocus: () => setFocused(true),
      onBlur: event =>
        setFocused(event.currentTarget.contains(event.relatedTarget)),
    },
  };
}
