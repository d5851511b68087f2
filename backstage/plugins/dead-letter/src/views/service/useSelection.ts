import { Filter } from '@dead-letter/backstage-plugin-dead-letter-common';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { useEnvironment } from '../../hooks/useEnvironment';
import { Selection } from '../acting';

export interface Chosen {
  /** Rows of this page that are ticked; all of them where all that match are chosen. */
  ids: Set<string>;
  /** How many are ticked on other pages. */
  elsewhere: number;
  /** Whether all that the filter lists are chosen, and not only rows. */
  isAll: boolean;
  /** These rows of the page, and no others of it. */
  choose: (ids: Set<string>) => void;
  /** All that arrived before this time: what arrives later is not chosen with them. */
  chooseAll: (before: string | undefined) => void;
  clear: () => void;
  /** What is acted on; undefined where nothing is chosen. */
  selection: Selection | undefined;
}

/** In the session of the browser's tab: it survives a reload. */
const STORED_AS = 'dead-letter.selection';

interface Kept {
  /** Environment and filter that it was chosen in: in others nothing is chosen. */
  key: string;
  ids: string[];
  all?: { before?: string };
}

/** What is chosen of the dead letters that a filter lists, on whichever page. Another filter is another choice; rows that are gone are not chosen. */
export function useSelection(
  filter: Filter,
  rows: string[],
  gone: ReadonlySet<string>,
  status: Selection['status'],
): Chosen {
  const { name } = useEnvironment();
  const key = JSON.stringify([name, filter]);
  const [kept, setKept] = useState<Kept | undefined>(read);
  const current = kept?.key === key ? kept : undefined;
  const all = current?.all;
  const keep = useCallback(
    (ids: string[], chosenAll?: Kept['all']) => {
      const next = { key, ids, all: chosenAll };
      sessionStorage.setItem(STORED_AS, JSON.stringify(next));
      setKept(next);
    },
    [key],
  );
  const ids = useMemo(() => current?.ids ?? [], [current]);
  useEffect(() => {
    if (ids.some(id => gone.has(id))) keep(ids.filter(id => !gone.has(id)));
  }, [ids, gone, keep]);

  const page = useMemo(() => new Set(rows), [rows]);
  const elsewhere = useMemo(
    () => ids.filter(id => !page.has(id) && !gone.has(id)),
    [ids, page, gone],
  );
  const here = useMemo(() => ids.filter(id => page.has(id)), [ids, page]);
  const selection = useMemo<Selection | undefined>(() => {
    if (all) {
      return { filter: { ...filter, to: filter.to ?? all.before }, status };
    }
    const chosen = [...elsewhere, ...here];
    return chosen.length > 0 ? { ids: chosen, status } : undefined;
  }, [all, filter, elsewhere, here, status]);
  return {
    ids: all ? page : new Set(here),
    elsewhere: elsewhere.length,
    isAll: all !== undefined,
    choose: next => keep(all ? [...next] : [...elsewhere, ...next]),
    chooseAll: before => keep([], { before }),
    clear: () => keep([]),
    selection,
  };
}

/** What was chosen before the page was loaded. */
function read(): Kept | undefined {
  const text = sessionStorage.getItem(STORED_AS);
  return text === null ? undefined : JSON.parse(text);
}
