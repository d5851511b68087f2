import {
  DEFAULT_NAMESPACE,
  Entity,
  stringifyEntityRef,
} from '@backstage/catalog-model';
import { useApiHolder, useRouteRef } from '@backstage/frontend-plugin-api';
import {
  CATALOG_FILTER_EXISTS,
  catalogApiRef,
} from '@backstage/plugin-catalog-react';
import {
  SERVICE_ANNOTATION,
  SQUAD_ANNOTATION,
  servicesOf,
  squadOf,
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
const nameOfSquad = (group: Entity) => [squadOf(group)];

/** The names that mean the same squad. */
export function squadNames(name: string): string[] {
  const short = name.replace(/^squad-/, '');
  return [name, ...(name === short ? [`squad-${name}`] : [short])];
}

/** The places of squads. `squad-nasa` and `nasa` are the same squad. */
export function useSquadTabs(squads: string[]): PlaceOf {
  const page = useRouteRef(squadRouteRef)?.() ?? '';
  return usePlaces(squads, {
    kind: 'group',
    annotation: SQUAD_ANNOTATION,
    namesOf: nameOfSquad,
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
    namesOf: servicesOf,
    alike: itself,
    page,
    parameter: 'service',
  });
}

interface Sort {
  kind: 'group' | 'component';
  annotation: string;
  /** What an entity is in dead-letter. */
  namesOf: (entity: Entity) => string[];
  alike: (name: string) => string[];
  /** Path of the page for those that the catalog does not have, and the parameter that names one. */
  page: string;
  parameter: 'squad' | 'service';
}

function usePlaces(
  names: string[],
  { kind, annotation, namesOf, alike, page, parameter }: Sort,
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
          // It may name several: which ones, the catalog cannot be asked.
          {
            kind,
            [`metadata.annotations.${annotation}`]: CATALOG_FILTER_EXISTS,
          },
          { kind, 'metadata.name': wanted },
        ],
        fields: [
          'kind',
          'metadata.name',
          'metadata.namespace',
          `metadata.annotations.${annotation}`,
        ],
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
      const same = alike(name);
      const entity = find(data, annotation, each =>
        namesOf(each).some(one => same.includes(one)),
      );
      if (entity) {
        const isOneOfSeveral = namesOf(entity).length > 1;
        return {
          path: inEnvironment(tabOf(entity), {
            ...(isOneOfSeveral && { [parameter]: name }),
            ...parameters,
          }),
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
      namesOf,
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
  isIt: (entity: Entity) => boolean,
): Entity | undefined {
  const found = entities.filter(isIt);
  return (
    found.find(({ metadata }) => metadata.annotations?.[annotation]) ?? found[0]
  );
}

/** The path of the tab of an entity. */
export function tabOf({ kind, metadata }: Entity): string {
  const namespace = metadata.namespace ?? DEFAULT_NAMESPACE;
  return `/catalog/${namespace}/${kind.toLowerCase()}/${
    metadata.name
  }/dead-letters`;
}
