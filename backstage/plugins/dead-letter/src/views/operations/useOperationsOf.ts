import {
  Operation,
  Operations,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { UseQueryResult } from '@tanstack/react-query';
import { useAnswer } from '../../hooks/useDeadLetter';
import { EVERY_MS } from '../../hooks/every';
import { useDismissed } from './dismissed';
import { isOver, isSettled, wentWrong } from './operation';

/** Whose operations they are. */
export type Owner =
  | { service: string; squad?: undefined; errorGroup?: undefined }
  | { squad: string; service?: undefined; errorGroup?: undefined }
  | { errorGroup: string; service?: undefined; squad?: undefined };

const OPEN_STATES = 'pending,running,waiting,paused,cancelling';
/** So many of those that have not ended are shown, and so many of the latest are looked through for what went wrong. */
const OPEN = 50;
const LATEST = 20;
const MOVING_MS = 1_500;
/** So long it is news that one went wrong. */
const NEWS_MS = 30 * 60_000;

/**
 * The operations of a service or a squad that matter now, whoever began them: those that have not ended, those that are watched for
 * returns, and those that have lately gone wrong.
 */
export function useOperationsOf(owner: Owner): {
  operations: Operation[];
  isMoving: boolean;
} {
  const dismissed = useDismissed();
  const open = useList(owner, { state: OPEN_STATES, limit: OPEN });
  const latest = useList(owner, { limit: LATEST });
  const found = new Map<string, Operation>();
  for (const each of [
    ...(open.data?.operations ?? []),
    ...(latest.data?.operations ?? []).filter(isNews),
  ]) {
    if (!dismissed.has(each.id)) found.set(each.id, each);
  }
  const operations = [...found.values()].sort((one, other) =>
    other.createdAt.localeCompare(one.createdAt),
  );
  return { operations, isMoving: operations.some(isMoving) };
}

function useList(
  owner: Owner,
  page: { state?: string; limit: number },
): UseQueryResult<Operations, Error> {
  return useAnswer(
    ['operations', 'of', owner, page],
    (client, signal) => client.operations({ ...owner, ...page }, signal),
    {
      every: latest =>
        latest?.operations.some(isMoving) ? MOVING_MS : EVERY_MS,
      keep: false,
    },
  );
}

function isMoving(operation: Operation): boolean {
  return !isSettled(operation) && operation.state !== 'paused';
}

function isNews(operation: Operation): boolean {
  if (!isSettled(operation)) return true;
  const endedAt = Date.parse(operation.endedAt ?? operation.createdAt);
  return (
    isOver(operation) && wentWrong(operation) && Date.now() - endedAt < NEWS_MS
  );
}
