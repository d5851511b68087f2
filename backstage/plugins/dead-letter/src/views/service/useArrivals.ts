import {
  DeadLetteredMessage,
  FilterInput,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { useCallback, useEffect, useState } from 'react';
import { useAnswer } from '../../hooks/useDeadLetter';

/** How often it is looked for what has arrived. */
const LOOK_MS = 10_000;

export interface Arrivals {
  /** How many arrived since. */
  count: number;
  /** When the newest arrived of those that were there when the page was asked for. */
  since: string | undefined;
  /** Takes them for known: they are shown now. */
  acknowledge: () => void;
}

interface Baseline {
  key: string;
  newest: DeadLetteredMessage | undefined;
}

/** What has arrived since the page was asked for: it is told, and not slipped in among what somebody is at work with. */
export function useArrivals(filter: FilterInput): Arrivals {
  const key = JSON.stringify(filter);
  const [baseline, setBaseline] = useState<Baseline>();
  const newest = useAnswer(
    ['newest', key],
    (client, signal) => client.search(filter, { limit: 1 }, signal),
    { every: LOOK_MS, keep: false },
  );
  const found = newest.data;
  useEffect(() => {
    if (found && baseline?.key !== key) {
      setBaseline({ key, newest: found.messages[0] });
    }
  }, [found, baseline, key]);

  const since = baseline?.key === key ? baseline.newest?.receivedAt : undefined;
  const latest = found?.messages[0];
  const isNewer =
    latest !== undefined &&
    baseline?.key === key &&
    latest.id > (baseline.newest?.id ?? '');
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
  const acknowledge = useCallback(
    () => setBaseline({ key, newest: latest }),
    [key, latest],
  );
  return {
    count: isNewer && !filter.to ? later.data?.total.value ?? 0 : 0,
    since,
    acknowledge,
  };
}

/** The first instant after this one, in the API's milliseconds. */
export function after(time: string): string {
  return new Date(new Date(time).getTime() + 1).toISOString();
}
