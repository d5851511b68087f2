import { useApi } from '@backstage/frontend-plugin-api';
import {
  UseQueryResult,
  keepPreviousData,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';
import { useCallback, useMemo } from 'react';
import { isAway } from '../components/Answers';
import { DeadLetterClient, deadLetterApiRef } from '../api/DeadLetterApi';
import { useEnvironment } from './useEnvironment';

/** dead-letter in the environment that is shown. */
export function useDeadLetter(): DeadLetterClient {
  const api = useApi(deadLetterApiRef);
  const environment = useEnvironment();
  return useMemo(() => api.at(environment), [api, environment]);
}

/** How soon it is asked again where it failed: the page says that it tries by itself. */
const AGAIN_MS = 5_000;

/** Under which an answer is kept: what was asked of which environment. */
export function answerKey(environment: string, key: readonly unknown[]) {
  return ['dead-letter', environment, ...key];
}

interface Asking<T> {
  /** Milliseconds until it is asked again; not at all where it is false. */
  every?: number | false | ((latest: T | undefined) => number | false);
  /** Whether the last answer stays while another question is asked: nothing jumps. */
  keep?: boolean;
  enabled?: boolean;
  /** What another question was answered, where that is an answer to this one too: it is not asked again at once. */
  initial?: { data: T; at: number };
}

/**
 * What dead-letter answers, in the environment that is shown. The key names the question, and all that the answer depends on. The
 * last answer stays while it is asked again, and while nothing answers.
 */
export function useAnswer<T>(
  key: readonly unknown[],
  ask: (client: DeadLetterClient, signal: AbortSignal) => Promise<T>,
  { every = false, keep = true, enabled = true, initial }: Asking<T> = {},
): UseQueryResult<T, Error> {
  const client = useDeadLetter();
  const { name } = useEnvironment();
  return useQuery<T, Error>({
    queryKey: answerKey(name, key),
    queryFn: ({ signal }) => ask(client, signal),
    refetchInterval: ({ state }) => {
      if (state.error && isAway(state.error)) return AGAIN_MS;
      return typeof every === 'function' ? every(state.data) : every;
    },
    placeholderData: keep ? keepPreviousData : undefined,
    enabled,
    ...(initial && {
      initialData: initial.data,
      initialDataUpdatedAt: initial.at,
    }),
  });
}

/** Asks again what begins with this key; all of it without one. */
export function useAskAgain(): (key?: readonly unknown[]) => Promise<void> {
  const queries = useQueryClient();
  const { name } = useEnvironment();
  return useCallback(
    (key = []) => queries.invalidateQueries({ queryKey: answerKey(name, key) }),
    [queries, name],
  );
}
