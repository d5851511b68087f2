import { FilterInput } from '@dead-letter/backstage-plugin-dead-letter-common';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { Selection } from '../acting';

export interface Chosen {
  /** Rows that are ticked; all of the page where all that match are chosen. */
  ids: Set<string>;
  /** Whether it is all that the filter lists, and not only these rows. */
  all: boolean;
  choose: (ids: Set<string>) => void;
  chooseAll: () => void;
  clear: () => void;
  /** What is acted on; undefined where nothing is chosen. */
  selection: Selection | undefined;
}

/** What is chosen of the dead letters that a filter lists. Another filter is another choice; rows that are gone are not chosen. */
export function useSelection(filter: FilterInput, rows: string[]): Chosen {
  const [ids, setIds] = useState<Set<string>>(new Set());
  const [all, setAll] = useState(false);
  const key = JSON.stringify(filter);
  const clear = useCallback(() => {
    setIds(new Set());
    setAll(false);
  }, []);
  useEffect(clear, [key, clear]);

  const shown = useMemo(
    () => new Set(rows.filter(id => ids.has(id))),
    [rows, ids],
  );
  const choose = useCallback((next: Set<string>) => {
    setAll(false);
    setIds(next);
  }, []);
  const selection = useMemo<Selection | undefined>(() => {
    if (all) return { filter: JSON.parse(key) };
    return shown.size ? { ids: [...shown] } : undefined;
  }, [all, key, shown]);
  return {
    ids: all ? new Set(rows) : shown,
    all,
    choose,
    chooseAll: useCallback(() => setAll(true), []),
    clear,
    selection,
  };
}
