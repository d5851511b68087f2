import { useAppSearchParams } from '@backstage/frontend-plugin-api';
import { Filter } from '@dead-letter/backstage-plugin-dead-letter-common';
import { useCallback, useEffect, useMemo, useRef } from 'react';

/** The conditions that the API knows, but for squad and service: these are given by whose page it is. */
const CONDITIONS = [
  'find',
  'returned',
  'returnedFrom',
  'broker',
  'vhost',
  'queue',
  'exchange',
  'routingKey',
  'messageId',
  'correlationId',
  'type',
  'error',
  'errorGroup',
  'reason',
  'convention',
  'status',
  'from',
  'to',
  'diedFrom',
  'diedTo',
  'contains',
  'minAttempt',
  'appId',
  'userId',
  'contentType',
] as const;

/** A header, or a path in a JSON body, by its name. */
const NAMED = /^(header|body)\.(.+)$/s;

export type Condition =
  | (typeof CONDITIONS)[number]
  | `header.${string}`
  | `body.${string}`;
export type Conditions = Partial<Record<Condition, string>>;

/** Rows of a page that can be chosen; the API gives 200 at most. */
export const PAGE_SIZES = [20, 50, 100, 200];
const PAGE_SIZE = 50;

/** What is looked at, as the address says: a reload keeps it, and a link shows it to others. */
export interface View {
  conditions: Conditions;
  limit: number;
  order: 'newest' | 'oldest';
  cursor?: string;
  /** The number of its first row, of all that are listed. */
  first: number;
  /** The dead letter that is open. */
  message?: string;
}

type Change = Partial<
  Record<
    Condition | 'limit' | 'order' | 'cursor' | 'first' | 'message',
    string | undefined
  >
>;

/** A view, and the ways to others. */
export type Filtered = ReturnType<typeof useFilter>;

/** The view that the address tells, and a way to another: any change but of the page and of what is open begins at the first page. */
export function useFilter() {
  const [parameters, setParameters] = useAppSearchParams();
  const text = parameters.toString();
  const read = useMemo(() => readView(new URLSearchParams(text)), [text]);
  // The same as long as they say the same: what depends on them alone is not made anew where a page is turned.
  const asked = JSON.stringify(read.conditions);
  const conditions = useMemo<Conditions>(() => JSON.parse(asked), [asked]);
  const view = useMemo(() => ({ ...read, conditions }), [read, conditions]);
  const address = useRef({ text, setParameters });
  useEffect(() => {
    address.current = { text, setParameters };
  });
  const change = useCallback((changes: Change, { replace = false } = {}) => {
    const next = new URLSearchParams(address.current.text);
    const turns = Object.keys(changes).every(
      name => name === 'cursor' || name === 'first' || name === 'message',
    );
    if (!turns) {
      next.delete('cursor');
      next.delete('first');
    }
    for (const [name, value] of Object.entries(changes)) {
      if (value) next.set(name, value);
      else next.delete(name);
    }
    address.current.setParameters(next, { replace });
  }, []);
  const clear = useCallback(
    () =>
      change(
        Object.fromEntries(
          [...CONDITIONS, ...Object.keys(conditions)].map(name => [
            name,
            undefined,
          ]),
        ),
      ),
    [change, conditions],
  );
  return { view, change, clear };
}

function readView(parameters: URLSearchParams): View {
  const given = CONDITIONS.flatMap(name => {
    const value = parameters.get(name);
    // The default exchange has no name.
    return value || (value === '' && name === 'exchange')
      ? [[name, value]]
      : [];
  });
  const named = [...parameters].filter(([name]) => NAMED.test(name));
  const limit = Number(parameters.get('limit'));
  return {
    conditions: Object.fromEntries([...given, ...named]),
    limit: PAGE_SIZES.includes(limit) ? limit : PAGE_SIZE,
    order: parameters.get('order') === 'oldest' ? 'oldest' : 'newest',
    cursor: parameters.get('cursor') ?? undefined,
    first: Math.max(1, Number(parameters.get('first')) || 1),
    message: parameters.get('message') ?? undefined,
  };
}

/** The conditions as the API takes them. Its own answer says what is wrong with one. */
export function toFilter(service: string, conditions: Conditions): Filter {
  const { minAttempt, returned, ...others } = conditions;
  const plain = Object.entries(others).filter(([name]) => !NAMED.test(name));
  const named = (kind: 'header' | 'body') => {
    const found = Object.entries(others).flatMap(([name, value]) => {
      const [, of, key] = NAMED.exec(name) ?? [];
      return of === kind && value ? [[key, value]] : [];
    });
    return found.length > 0 && Object.fromEntries(found);
  };
  const headers = named('header');
  const bodyPaths = named('body');
  return {
    ...(Object.fromEntries(plain) as Filter),
    ...(headers && { headers }),
    ...(bodyPaths && { bodyPaths }),
    service,
    ...(minAttempt && { minAttempt: Number(minAttempt) }),
    ...(returned && { returned: returned === 'true' }),
  };
}
