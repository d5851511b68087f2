import { useState } from 'react';

/** Pages by cursors that only lead on: the way back is remembered. */
export function useCursors() {
  const [cursors, setCursors] = useState<string[]>([]);
  return {
    cursor: cursors.at(-1),
    isFirst: cursors.length === 0,
    on: (next: string) => setCursors(before => [...before, next]),
    back: () => setCursors(before => before.slice(0, -1)),
    reset: () => setCursors([]),
  };
}
