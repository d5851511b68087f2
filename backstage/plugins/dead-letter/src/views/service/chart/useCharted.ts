import {
  Filter,
  Histogram,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { useAnswer } from '../../../hooks/useDeadLetter';

/** Up to here there is room for a bar each minute: the service makes none shorter than five by itself. */
const SHORT_MS = 90 * 60_000;

/** A day is the longest bar, and the service counts 1,500 at most. */
const LONGEST_MS = 1_000 * 24 * 3_600_000;

/** Counts all that the filter lists: where it has no time, or one long ago, from the oldest one on. */
export function useCharted(
  filter: Filter,
  by: 'errorGroup' | undefined,
): Histogram | undefined {
  const asked = isChartable(filter.from) ? filter.from : undefined;
  const oldest = useAnswer(
    ['oldest', filter],
    (client, signal) =>
      client.search(filter, { limit: 1, order: 'oldest' }, signal),
    // That of another filter would be charted for a moment.
    { enabled: !asked, keep: false },
  );
  const from = asked ?? oldest.data?.messages[0]?.receivedAt;
  const charted: Filter = { ...filter, from };
  const answer = useAnswer(
    ['histogram', charted, by ?? null],
    (client, signal) =>
      client.histogram(
        charted,
        { by, interval: isShort(charted) ? '1m' : undefined },
        signal,
      ),
    // Where there is none it is asked too: the last day is shown, without any.
    { enabled: from !== undefined || oldest.isFetched },
  );
  return answer.data;
}

function isChartable(from: Filter['from']): boolean {
  return Boolean(from) && Date.now() - Date.parse(from!) < LONGEST_MS;
}

function isShort({ from, to }: Filter): boolean {
  if (!from) return false;
  const end = to ? Date.parse(to) : Date.now();
  return end - Date.parse(from) <= SHORT_MS;
}
