import { DeadLetteredMessage } from '@dead-letter/backstage-plugin-dead-letter-common';
import {
  DeadLetterClient,
  FIND_PARAMETER,
  MESSAGE_PARAMETER,
  OPERATION_PARAMETER,
  answers,
} from '@dead-letter/backstage-plugin-dead-letter/src/console';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { PAGES } from '../pages';
import { may, useMe } from '../session/useMe';
import { Session } from '../session/Session';
import { useSavedViews } from '../views/savedViews';

/** Somewhere to go. */
export interface Place {
  id: string;
  name: string;
  /** What tells it from others with the same name. */
  hint?: string;
  address: string;
}

/** Places of one kind. */
export interface Places {
  title: string;
  places: Place[];
}

/** While somebody types. */
const PAUSE_MS = 250;
/** So many of each kind are shown. */
const SHOWN = 8;
/** So many groups are known by name. */
const GROUPS = 200;
const STALE_AFTER_MS = 30_000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const to = (path: string, parameters: Record<string, string>) =>
  `${path}?${new URLSearchParams(parameters)}`;

const fits = (typed: string) => (place: Place) =>
  `${place.name} ${place.hint ?? ''}`
    .toLowerCase()
    .includes(typed.toLowerCase());

/** Where the typed text may lead. */
export function usePlaces(
  session: Session,
  client: DeadLetterClient,
  typed: string,
): Places[] {
  const text = typed.trim();
  const known = useKnown(session, client);
  const found = useFound(client, text);
  const search: Place[] = text
    ? [
        {
          id: 'search',
          name: `Search all services for “${text}”`,
          address: to('/console/search', { [FIND_PARAMETER]: text }),
        },
      ]
    : [];
  return [
    { title: 'Found by id', places: found },
    ...known.map(({ title, places }) => ({
      title,
      places: places.filter(fits(text)).slice(0, SHOWN),
    })),
    { title: 'Search', places: search },
  ].filter(({ places }) => places.length > 0);
}

/** Pages, views, squads, services and error groups. */
function useKnown(session: Session, client: DeadLetterClient): Places[] {
  const me = useMe(session);
  const views = useSavedViews();
  const asked = { staleTime: STALE_AFTER_MS };
  const services = useQuery(
    {
      queryKey: ['palette', 'services'],
      queryFn: ({ signal }) => client.services(undefined, signal),
      ...asked,
    },
    answers,
  );
  const groups = useQuery(
    {
      queryKey: ['palette', 'groups'],
      queryFn: ({ signal }) => client.errorGroups({}, GROUPS, signal),
      ...asked,
    },
    answers,
  );
  const squads = new Set((services.data ?? []).map(each => each.squad));
  return [
    {
      title: 'Pages',
      places: PAGES.flatMap(({ path, title, permission }) =>
        title && (!permission || may(me, permission))
          ? [{ id: `page ${path}`, name: title, address: path }]
          : [],
      ),
    },
    {
      title: 'Saved views',
      places: views.map(({ name, address }) => ({
        id: `view ${name}`,
        name,
        address,
      })),
    },
    {
      title: 'Services',
      places: (services.data ?? []).map(({ service, squad, count }) => ({
        id: `service ${service}`,
        name: service,
        hint: `${squad}, ${count.toLocaleString()} dead`,
        address: to('/console/service', { service }),
      })),
    },
    {
      title: 'Squads',
      places: [...squads].map(squad => ({
        id: `squad ${squad}`,
        name: squad,
        address: to('/console/squad', { squad }),
      })),
    },
    {
      title: 'Error groups',
      places: (groups.data?.groups ?? []).map(group => ({
        id: `group ${group.id}`,
        name: group.title ?? group.errorType ?? group.reason ?? group.id,
        hint: `${group.service}, ${group.count.toLocaleString()} dead`,
        address: to('/console/service', {
          service: group.service,
          errorGroup: group.id,
        }),
      })),
    },
  ];
}

/** What has this id: a dead letter, an operation, or a message by the id that its sender gave it. */
function useFound(client: DeadLetterClient, text: string): Place[] {
  const settled = useSettled(text);
  const { data } = useQuery(
    {
      queryKey: ['palette', 'id', settled],
      queryFn: async ({ signal }) => {
        const all = await Promise.all([
          deadLetters(client, settled, signal),
          operation(client, settled, signal),
        ]);
        return all.flat();
      },
      enabled: settled.length > 0 && !/\s/.test(settled),
      staleTime: STALE_AFTER_MS,
    },
    answers,
  );
  return settled === text ? data ?? [] : [];
}

const none = (): Place[] => [];

/** By any id where it looks like one of the service's own; otherwise by message id only, which has an index. */
async function deadLetters(
  client: DeadLetterClient,
  id: string,
  signal: AbortSignal,
): Promise<Place[]> {
  const by = UUID.test(id) ? { find: id } : { messageId: id };
  const filter = { ...by, status: 'any' } as const;
  const placeOf = (letter: DeadLetteredMessage) => ({
    id: `letter ${letter.id}`,
    name: `${letter.id === id ? 'Dead letter' : 'Message'} ${id}`,
    hint: `${letter.service}, ${letter.errorType ?? letter.reason}, ${
      letter.status
    }`,
    address: to('/console/search', {
      [FIND_PARAMETER]: id,
      [MESSAGE_PARAMETER]: letter.id,
    }),
  });
  return client
    .search(filter, { limit: SHOWN }, signal)
    .then(page => page.messages.map(placeOf), none);
}

async function operation(
  client: DeadLetterClient,
  id: string,
  signal: AbortSignal,
): Promise<Place[]> {
  if (!UUID.test(id)) return [];
  const found = ({ kind, state }: { kind: string; state: string }) => [
    {
      id: `operation ${id}`,
      name: `Operation ${id}`,
      hint: `${kind}, ${state}`,
      address: to('/console/operations', { [OPERATION_PARAMETER]: id }),
    },
  ];
  return client.operation(id, signal).then(found, none);
}

/** A text once nobody types for a moment. */
function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}
