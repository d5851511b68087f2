import { SortDescriptor } from '@backstage/ui';
import { useMemo, useState } from 'react';

/** What a row is sorted by in each column. */
type SortKeys<T> = Record<string, (row: T) => string | number>;

interface Sorted<T> {
  rows: T[];
  descriptor: SortDescriptor;
  onSortChange: (chosen: SortDescriptor) => void;
}

/**
 * Rows sorted as the reader chose; those that are alike stay in one order, so that nothing jumps when they are asked for again.
 * `first` is the column that tells rows apart.
 */
export function useSorted<T>(
  rows: T[],
  keys: SortKeys<T>,
  first: { by: string; name: string },
): Sorted<T> {
  const [descriptor, setDescriptor] = useState<SortDescriptor>({
    column: first.by,
    direction: 'descending',
  });
  const sorted = useMemo(() => {
    const key = keys[String(descriptor.column)];
    const sign = descriptor.direction === 'descending' ? -1 : 1;
    return [...rows].sort(
      (one, other) =>
        sign * compare(key(one), key(other)) ||
        compare(keys[first.name](one), keys[first.name](other)),
    );
  }, [rows, keys, descriptor, first.name]);
  return {
    rows: sorted,
    descriptor,
    onSortChange: chosen =>
      setDescriptor(current =>
        chosen.column === current.column
          ? chosen
          : // Of numbers and ages the most is wanted first, of names the first.
            {
              column: chosen.column,
              direction:
                chosen.column === first.name ? 'ascending' : 'descending',
            },
      ),
  };
}

function compare(one: string | number, other: string | number): number {
  return typeof one === 'string' && typeof other === 'string'
    ? one.localeCompare(other)
    : Number(one) - Number(other);
}

/** An age as a number to sort by: more is older. */
export function ageOf(at: string | null): number {
  return at ? -Date.parse(at) : -Infinity;
}
