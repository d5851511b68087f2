import { Filter } from '@dead-letter/backstage-plugin-dead-letter-common';
import { DeadLetterClient } from '../../api/DeadLetterApi';
import { Format } from './formats';

/** The most that the API gives at once. */
const PAGE = 200;
/** The most that an export has: it is put together in the browser's memory. */
export const LARGEST = 50_000;

/** A file, and how complete it is. */
export interface Collected {
  file: Blob;
  count: number;
  /** Whether more match. */
  isCut: boolean;
}

/** Asks for page after page of what a filter lists, the newest first, and writes it down. */
export async function collect(
  client: DeadLetterClient,
  filter: Filter,
  format: Format,
  { signal, onCount }: { signal: AbortSignal; onCount: (n: number) => void },
): Promise<Collected> {
  const parts: string[] = format.head ? [format.head] : [];
  let count = 0;
  let cursor: string | undefined;
  do {
    const limit = Math.min(PAGE, LARGEST - count);
    const page = await client.search(filter, { limit, cursor }, signal);
    parts.push(page.messages.map(format.line).join(''));
    count += page.messages.length;
    onCount(count);
    cursor = page.nextCursor ?? undefined;
  } while (cursor && count < LARGEST);
  const file = new Blob(parts, { type: format.mediaType });
  return { file, count, isCut: cursor !== undefined };
}
