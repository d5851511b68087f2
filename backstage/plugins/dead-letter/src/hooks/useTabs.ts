import {
  DEFAULT_NAMESPACE,
  Entity,
  stringifyEntityRef,
} from '@backstage/catalog-model';
import { useApiHolder, useRouteRef } from '@backstage/frontend-plugin-api';
import { catalogApiRef } from '@backstage/plugin-catalog-react';
import {
  SERVICE_ANNOTATION,
  SQUAD_ANNOTATION,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { useQuery } from '@tanstack/react-query';
import { useCallback } from 'react';
import { serviceRouteRef, squadRouteRef } from '../routes';
import { useInEnvironment } from './useEnvironment';

/** The catalog changes seldom. */
const STALE_AFTER_MS = 5 * 60_000;

/** Where the dead letters of a service or a squad are shown. */
export interface Place {
  path: string;
  /** The entity whose permissions count. */
  resourceRef: string;
  /** Whether the catalog lacks it: then it is a page of this plugin instead of a tab of an entity. */
  isMissing: boolean;
}

/** The place of what has this name in dead-letter; undefined where that is not known (yet). */
export type PlaceOf = (
  name: string,
  parameters?: Record<string, string>,
) => Place | undefined;

const itself = (name: string) => [name];

function squadNames(name: string): string[] {
  const short = name.replace(/^squad-/, '');
  return [name, ...(name === short ? [`squad-${name}`] : [short])];
}

/** The places of squads. `squad-nasa` and `nasa` are the same squad. */
export function useSquadTabs(squads: string[]): PlaceOf {
  const page = useRouteRef(squadRouteRef)?.() ?? '';
  return usePlaces(squads, {
    kind: 'group',
    annotation: SQUAD_ANNOTATION,
    alike: squadNames,
    page,
    parameter: 'squad',
  });
}

/** The places of services. */
export function useServiceTabs(services: string[]): PlaceOf {
  const page = useRouteRef(serviceRouteRef)?.() ?? '';
  return usePlaces(services, {
    kind: 'component',
    annotation: SERVICE_ANNOTATION,
    alike: itself,
    page,
    parameter: 'service',
  });
}

interface Sort {
  kind: 'group' | 'component';
  annotation: string;
  alike: (name: string) => string[];
  /** Path of the page for those that the catalog does not have, and the parameter that names one. */
  page: string;
  parameter: 'squad' | 'service';
}

function usePlaces(
  names: string[],
  { kind, annotation, alike, page, parameter }: Sort,
): PlaceOf {
  const catalog = useApiHolder().get(catalogApiRef);
  const inEnvironment = useInEnvironment();
  const wanted = names.flatMap(alike).sort();
  const { data, isPlaceholderData } = useQuery({
    queryKey: ['catalog', kind, ...wanted],
    queryFn: async () => {
      // The console has no catalog: all are pages there.
      if (!catalog) return [];
      const found = await catalog.getEntities({
        filter: [
          { kind, [`metadata.annotations.${annotation}`]: wanted },
          { kind, 'metadata.name': wanted },
        ],
        fields: ['kind', 'metadata'],
      });
      return found.items;
    },
    enabled: wanted.length > 0,
    staleTime: STALE_AFTER_MS,
    // What is known of the others stays while one more is asked for.
    placeholderData: known => known,
  });
  return useCallback<PlaceOf>(
    (name, parameters) => {
      if (!data) return undefined;
      const entity = find(data, annotation, alike(name));
      if (entity) {
        return {
          path: inEnvironment(tabOf(entity), parameters),
          resourceRef: stringifyEntityRef(entity),
          isMissing: false,
        };
      }
      if (isPlaceholderData) return undefined;
      return {
        path: inEnvironment(page, { [parameter]: name, ...parameters }),
        resourceRef: `${kind}:${DEFAULT_NAMESPACE}/${name.toLowerCase()}`,
        isMissing: catalog !== undefined,
      };
    },
    [
      data,
      isPlaceholderData,
      catalog,
      annotation,
      alike,
      inEnvironment,
      kind,
      page,
      parameter,
    ],
  );
}

/** The one that says so itself, else the one with the name. */
function find(
  entities: Entity[],
  annotation: string,
  names: string[],
): Entity | undefined {
  return (
    entities.find(({ metadata }) =>
      names.includes(metadata.annotations?.[annotation] ?? ''),
    ) ?? entities.find(({ metadata }) => names.includes(metadata.name))
  );
}

function tabOf({ kind, metadata }: Entity): string {
  const namespace = metadata.namespace ?? DEFAULT_NAMESPACE;
  return `/catalog/${namespace}/${kind.toLowerCase()}/${
    metadata.name
  }/dead-letters`;
}
