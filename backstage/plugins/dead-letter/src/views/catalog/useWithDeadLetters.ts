import { Entity } from '@backstage/catalog-model';
import { useApi } from '@backstage/frontend-plugin-api';
import {
  CATALOG_FILTER_EXISTS,
  catalogApiRef,
} from '@backstage/plugin-catalog-react';
import {
  SERVICE_ANNOTATION,
  SQUAD_ANNOTATION,
  ServiceOverview,
  servicesOf,
  squadOf,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { useQuery } from '@tanstack/react-query';
import { useAnswer } from '../../hooks/useDeadLetter';
import { squadNames } from '../../hooks/useTabs';

/** So many can be asked for: they become part of an address. */
export const MOST = 100;

/** The entities that have dead letters now, by their ids, those with the most first; undefined while that is not known. */
export function useWithDeadLetters(isWanted: boolean): string[] | undefined {
  const catalog = useApi(catalogApiRef);
  // Not asked again by itself: the list of the catalog would change while somebody reads it.
  const services = useAnswer(
    ['services', null],
    (client, signal) => client.services(undefined, signal),
    { keep: false, enabled: isWanted },
  );
  const counts = countsOf(services.data ?? []);
  const names = {
    component: mostOf(counts.component),
    group: mostOf(counts.group).flatMap(squadNames),
  };
  const entities = useQuery({
    queryKey: ['catalog', 'with dead letters', names],
    queryFn: async () => {
      const found = await catalog.getEntities({
        filter: [
          { kind: 'component', 'metadata.name': names.component },
          {
            kind: 'component',
            [`metadata.annotations.${SERVICE_ANNOTATION}`]:
              CATALOG_FILTER_EXISTS,
          },
          { kind: 'group', 'metadata.name': names.group },
          {
            kind: 'group',
            [`metadata.annotations.${SQUAD_ANNOTATION}`]: CATALOG_FILTER_EXISTS,
          },
        ],
        fields: [
          'kind',
          'metadata.name',
          'metadata.uid',
          `metadata.annotations.${SERVICE_ANNOTATION}`,
          `metadata.annotations.${SQUAD_ANNOTATION}`,
        ],
      });
      return found.items;
    },
    enabled: isWanted && services.data !== undefined,
  });
  return entities.data
    ?.map(entity => ({ entity, count: countOf(entity, counts) }))
    .filter(({ count }) => count > 0)
    .sort((one, other) => other.count - one.count)
    .slice(0, MOST)
    .flatMap(({ entity }) => entity.metadata.uid ?? []);
}

/** Dead letters by service, and by squad. */
interface Counts {
  component: Map<string, number>;
  group: Map<string, number>;
}

function countsOf(services: ServiceOverview[]): Counts {
  const counts: Counts = { component: new Map(), group: new Map() };
  for (const { service, squad, count } of services) {
    if (count === 0) continue;
    counts.component.set(service, count);
    counts.group.set(squad, (counts.group.get(squad) ?? 0) + count);
  }
  return counts;
}

function mostOf(counts: Map<string, number>): string[] {
  return [...counts]
    .sort(([, one], [, other]) => other - one)
    .slice(0, MOST)
    .map(([name]) => name);
}

function countOf(entity: Entity, counts: Counts): number {
  const isGroup = entity.kind.toLowerCase() === 'group';
  const names = isGroup ? squadNames(squadOf(entity)) : servicesOf(entity);
  const of = isGroup ? counts.group : counts.component;
  return names.reduce((sum, name) => sum + (of.get(name) ?? 0), 0);
}
