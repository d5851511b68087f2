import { DEFAULT_NAMESPACE, Entity } from '@backstage/catalog-model';
import { useApi } from '@backstage/frontend-plugin-api';
import { catalogApiRef } from '@backstage/plugin-catalog-react';
import { useQuery } from '@tanstack/react-query';
import { useCallback } from 'react';
import { SERVICE_ANNOTATION, SQUAD_ANNOTATION } from '../annotations';
import { useInEnvironment } from './useEnvironment';

/** The catalog changes seldom. */
const STALE_AFTER_MS = 5 * 60_000;

/**
 * The path of the tab with the dead letters of what has this name in dead-letter; null where the catalog does not have it, and
 * undefined where that is not known (yet).
 */
export type TabOf = (
  name: string,
  parameters?: Record<string, string>,
) => string | null | undefined;

const itself = (name: string) => [name];

function squadNames(name: string): string[] {
  const short = name.replace(/^squad-/, '');
  return [name, ...(name === short ? [`squad-${name}`] : [short])];
}

/** The tabs of squads. `squad-nasa` and `nasa` are the same squad. */
export function useSquadTabs(squads: string[]): TabOf {
  return useTabs('group', SQUAD_ANNOTATION, squads, squadNames);
}

/** The tabs of services. */
export function useServiceTabs(services: string[]): TabOf {
  return useTabs('component', SERVICE_ANNOTATION, services, itself);
}

function useTabs(
  kind: 'group' | 'component',
  annotation: string,
  names: string[],
  alike: (name: string) => string[],
): TabOf {
  const catalog = useApi(catalogApiRef);
  const inEnvironment = useInEnvironment();
  const wanted = names.flatMap(alike).sort();
  const { data, isPlaceholderData } = useQuery({
    queryKey: ['catalog', kind, ...wanted],
    queryFn: async () => {
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
  return useCallback<TabOf>(
    (name, parameters) => {
      if (!data) return undefined;
      const entity = find(data, annotation, alike(name));
      if (entity) return inEnvironment(tabOf(entity), parameters);
      return isPlaceholderData ? undefined : null;
    },
    [data, isPlaceholderData, annotation, alike, inEnvironment],
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
