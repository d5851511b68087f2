import { Filter } from '@dead-letter/backstage-plugin-dead-letter-common';

/** How often overviews are asked again: soon enough to see it get better, or worse. */
export const EVERY_MS = 15_000;
/** The same for what is counted from texts and bodies: each time that reads all of them. */
const SELDOM_MS = 60_000;

/** How often what this filter lists is looked at again. */
export function everyOf(filter: Filter, often: number): number {
  const reads = filter.find ?? filter.contains ?? filter.error;
  return reads ? SELDOM_MS : often;
}
