import { Filter } from '@dead-letter/backstage-plugin-dead-letter-common';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { Selection } from '../acting';

export interface Chosen {
  /** Rows that are ticked; all of the page where all that match are chosen. */
  ids: Set<string>;
  /** Whether all that the filter lists are chosen, and not only rows. */
  isAll: boolean;
  choose: (ids: Set<string>) => void;
  /** All that arrived before this time: what arrives later is not chosen with them. */
  chooseAll: (before: string | undefined) => void;
  clear: () => void;
  /** What is acted on; undefined where nothing is chosen. */
  selection: Selection | undefined;
}

/** What is chosen of the dead letters that a filter lists. Another filter is another choice; rows that are gone are not chosen. */
export function useSelection(
  filter: Filter,
  rows: string[],
  status: Selection['status'],
): Chosen {
  const [ids, setIds] = useState<Set<string>>(new Set());
  const [all, setAll] = useState<{ before?: string }>();
  const key = JSON.stringify(filter);
  const clear = useCallback(() => {
    setIds(new Set());
    setAll(undefined);
  }, []);
  useEffect(clear, [key, clear]);

  const shown = useMemo(
    () => new Set(rows.filter(id => ids.has(id))),
    [rows, ids],
  );
  const choose = useCallback((next: Set<string>) => {
    setAll(undefined);
    setIds(next);
  }, []);
  const selection = useMemo<Selection | undefined>(() => {
    if (all) {
      const listed: Filter = JSON.parse(key);
      return { filter: { ...listed, to: listed.to ?? all.before }, status };
    }
    return shown.size ? { ids: [...shown], status } : undefined;
  }, [all, key, shown, status]);
  return {
    ids: all ? new Set(rows) : shown,
    isAll: all !== undefined,
    choose,
    chooseAll: useCallback(before => setAll({ before }), []),
    clear,
    selection,
  };
}
