import {
  DeadLetteredMessage,
  Filter,
  Total,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { useCallback, useEffect, useState } from 'react';
import { useAnswer } from '../../hooks/useDeadLetter';
import { everyOf } from '../../hooks/every';

/** How often it is looked for what has arrived. */
const LOOK_MS = 10_000;

export interface Arrivals {
  /** How many arrived since. */
  count: number;
  /** When the newest arrived of those that were there when the page was asked for. */
  since: string | undefined;
  /** How many there are now, these included. */
  total: Total | undefined;
  /** The page is asked for again: what the next answer knows is shown then. */
  acknowledge: () => void;
}

interface Baseline {
  key: string;
  newest: DeadLetteredMessage | undefined;
  /** When it was answered. */
  at: number;
}

/** What has arrived since the page was asked for: it is told, and not slipped in among what somebody is at work with. */
export function useArrivals(filter: Filter): Arrivals {
  const key = JSON.stringify(filter);
  const [baseline, setBaseline] = useState<Baseline>();
  const [acknowledgedAt, setAcknowledgedAt] = useState(0);
  const newest = useAnswer(
    ['newest', key],
    (client, signal) => client.search(filter, { limit: 1 }, signal),
    { every: everyOf(filter, LOOK_MS), keep: false },
  );
  const { data: found, dataUpdatedAt: at } = newest;
  const holds = baseline?.key === key && baseline.at >= acknowledgedAt;
  useEffect(() => {
    if (found && !holds && at >= acknowledgedAt) {
      setBaseline({ key, newest: found.messages[0], at });
    }
  }, [found, holds, at, acknowledgedAt, key]);

  const known = holds ? baseline.newest : undefined;
  const since = known?.receivedAt;
  const latest = found?.messages[0];
  const isNewer =
    holds && latest !== undefined && latest.id > (known?.id ?? '');
  const later = useAnswer(
    ['arrived', key, since ?? null, latest?.id ?? null],
    (client, signal) =>
      client.search(
        { ...filter, from: since && after(since) },
        { limit: 1 },
        signal,
      ),
    { enabled: isNewer && !filter.to },
  );
  const acknowledge = useCallback(() => setAcknowledgedAt(Date.now()), []);
  return {
    count: isNewer && !filter.to ? later.data?.total.value ?? 0 : 0,
    since,
    total: found?.total,
    acknowledge,
  };
}

/** The first instant after this one, in the API's milliseconds. */
export function after(time: string): string {
  return new Date(new Date(time).getTime() + 1).toISOString();
}
