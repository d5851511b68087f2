import {
  Entity,
  parseEntityRef,
  stringifyEntityRef,
} from '@backstage/catalog-model';
import { useApi } from '@backstage/frontend-plugin-api';
import { catalogApiRef } from '@backstage/plugin-catalog-react';
import { useQuery } from '@tanstack/react-query';

/** Says another name than the entity's for what dead-letter calls a service. */
export const SERVICE_ANNOTATION = 'dead-letter/service-name';
/** Says another name than the group's for what dead-letter calls a squad. */
export const SQUAD_ANNOTATION = 'dead-letter/squad-name';

/** The catalog changes seldom, and is asked for links only. */
const FRESH_MS = 5 * 60_000;

/** Where an entity has its dead letters. */
export function tabOf(ref: string): string {
  const { kind, namespace, name } = parseEntityRef(ref);
  return `/catalog/${namespace}/${kind}/${name}/dead-letters`;
}

/**
 * What finds an entity's reference by the name that dead-letter has for it: by the annotation, else by the entity's name. It
 * answers null where there is none, and undefined while that is not known.
 */
export type Found = (name: string) => string | null | undefined;

type Filter = Record<string, string | string[]>;

/** Entities of the catalog, by what dead-letter calls them. */
export function useCatalog(
  filter: Filter[],
  annotation: string,
  alias: (name: string) => string = name => name,
): Found {
  const catalog = useApi(catalogApiRef);
  const { data } = useQuery({
    queryKey: ['catalog', filter],
    queryFn: async () =>
      (
        await catalog.getEntities({
          filter,
          fields: [
            'kind',
            'metadata.name',
            'metadata.namespace',
            'metadata.annotations',
          ],
        })
      ).items,
    staleTime: FRESH_MS,
    enabled: filter.length > 0,
  });
  return name => data && find(data, annotation, alias, name);
}

function find(
  entities: Entity[],
  annotation: string,
  alias: (name: string) => string,
  name: string,
): string | null {
  const annotated = (entity: Entity) =>
    entity.metadata.annotations?.[annotation];
  const found =
    entities.find(entity => annotated(entity) === name) ??
    entities.find(
      entity =>
        !annotated(entity) && alias(entity.metadata.name) === alias(name),
    );
  return found ? stringifyEntityRef(found) : null;
}

/** The components that a group owns. */
export function useComponentsOf(group: Entity): Found {
  return useCatalog(
    [{ kind: 'component', 'relations.ownedBy': stringifyEntityRef(group) }],
    SERVICE_ANNOTATION,
  );
}

/** Components that are called so, whoever owns them. */
export function useComponentsNamed(services: string[]): Found {
  return useCatalog(
    services.length ? named('component', services, SERVICE_ANNOTATION) : [],
    SERVICE_ANNOTATION,
  );
}

/** Entities of a kind that have one of these names, or the annotation with one of them. */
export function named(
  kind: string,
  names: string[],
  annotation: string,
): Filter[] {
  const sorted = [...names].sort();
  return [
    { kind, 'metadata.name': sorted },
    { kind, [`metadata.annotations.${annotation}`]: sorted },
  ];
}
