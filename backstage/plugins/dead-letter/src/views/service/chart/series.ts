import { Histogram } from '@dead-letter/backstage-plugin-dead-letter-common';

/** So many error groups have a colour of their own. */
const COLOURS = 4;

/** What is drawn in one colour. */
export interface Series {
  /** The error group; undefined where it is all of them, or all others. */
  group: string | undefined;
  isOthers: boolean;
  count: number;
  counts: number[];
}

/** The error groups with the most, and all others as one. */
export function seriesOf({ series, starts }: Histogram): Series[] {
  const all = series.map(({ value, others, count, counts }) => ({
    group: value ?? undefined,
    isOthers: others,
    count,
    counts,
  }));
  // One more would be the only other.
  if (all.length <= COLOURS + 1) return all;
  const rest = all.slice(COLOURS);
  return [
    ...all.slice(0, COLOURS),
    {
      group: undefined,
      isOthers: true,
      count: sum(rest.map(each => each.count)),
      counts: starts.map((_, at) => sum(rest.map(each => each.counts[at]))),
    },
  ];
}

/** How many there are in each interval. */
export function totalsOf(series: Series[], intervals: number): number[] {
  return Array.from({ length: intervals }, (_, at) =>
    sum(series.map(each => each.counts[at])),
  );
}

export function sum(numbers: number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
