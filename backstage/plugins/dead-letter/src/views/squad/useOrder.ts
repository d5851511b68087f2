import { SortDescriptor } from '@backstage/ui';
import { useMemo, useState } from 'react';

/** Rows in the order that a column's head was pressed for; `by` says what a row has in each column. */
export function useOrder<T>(
  rows: T[],
  by: Record<string, (row: T) => string | number>,
  first: SortDescriptor,
) {
  const [order, setOrder] = useState(first);
  const sorted = useMemo(() => {
    const value = by[String(order.column)];
    const sign = order.direction === 'descending' ? -1 : 1;
    return [...rows].sort((a, b) => sign * compare(value(a), value(b)));
  }, [rows, by, order]);
  return { sorted, order, setOrder };
}

function compare(one: string | number, other: string | number): number {
  return typeof one === 'number' && typeof other === 'number'
    ? one - other
    : String(one).localeCompare(String(other));
}
