import { Filter } from '@dead-letter/backstage-plugin-dead-letter-common';
import { useMemo } from 'react';
import { useAnswer } from '../../hooks/useDeadLetter';
import { EVERY_MS, everyOf } from '../../hooks/every';
import type { Page } from './Listed';
import { View } from './useFilter';

/** While an operation is at work with them. */
const MOVING_MS = 3_000;
const NONE: ReadonlySet<string> = new Set();

interface Shown {
  filter: Filter;
  view: View;
  page: Page;
  /** What arrives from then on is not counted. */
  before: string | undefined;
  isMoving: boolean;
}

/** What has left the list since it was asked for. */
export interface LeftOver {
  /** How many of what was listed are listed still. */
  total: number;
  /** How many are not. */
  count: number;
  /** Rows of the page that are not. */
  gone: ReadonlySet<string>;
}

/** Looks again and again which of the dead letters that are shown are still what the filter lists. */
export function useLeft(shown: Shown): LeftOver {
  const { filter, view, page, before, isMoving } = shown;
  const { limit, order, cursor } = view;
  const bounded = { ...filter, to: filter.to ?? before };
  const options = {
    every: everyOf(filter, isMoving ? MOVING_MS : EVERY_MS),
    keep: false,
    initial: page.isStale ? undefined : page,
  };
  // A cursor holds for its own search only. What has arrived since is not on a page that it leads to.
  const asked = cursor ? filter : bounded;
  const rows = useAnswer(
    ['still', asked, limit, order, cursor ?? null],
    (client, signal) => client.search(asked, { limit, order, cursor }, signal),
    // The page's own answer is the first one to this, too.
    { ...options, enabled: !page.isStale },
  );
  const count = useAnswer(
    ['still', bounded],
    (client, signal) => client.search(bounded, { limit: 1 }, signal),
    { ...options, enabled: cursor !== undefined },
  );
  // An answer from before the page says nothing of what has become of that.
  const isLater = !page.isStale && rows.dataUpdatedAt >= page.at;
  const found = isLater ? rows.data : undefined;
  const gone = useMemo(() => {
    if (!found || found === page.data) return NONE;
    const there = new Set(found.messages.map(each => each.id));
    // Ids grow as time goes on. What lies beyond the last row may be on the next page by now.
    const last = found.nextCursor && found.messages.at(-1)?.id;
    const isCovered = (id: string) =>
      !last || (order === 'oldest' ? id <= last : id >= last);
    return new Set(
      page.data.messages
        .map(each => each.id)
        .filter(id => !there.has(id) && isCovered(id)),
    );
  }, [found, page.data, order]);

  const then = page.data.total;
  const now = (cursor ? count : rows).data?.total;
  if (!isLater || !now || now.relation !== then.relation) {
    return { total: then.value, count: gone.size, gone };
  }
  const left = Math.max(then.value - now.value, gone.size);
  return { total: now.value, count: left, gone };
}
