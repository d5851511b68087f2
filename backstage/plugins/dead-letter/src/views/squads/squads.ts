import { SquadOverview } from '@dead-letter/backstage-plugin-dead-letter-common';
import { Found, SQUAD_ANNOTATION, named, useCatalog } from '../squad/catalog';

/** What dead-letter calls the squad of the services that nobody owns. */
export const UNOWNED = 'unowned';

/** Groups may bear it and dead-letter leave it out, and the other way round: it is the same squad. */
const PREFIX = 'squad-';

/** The groups of the catalog that these squads are. */
export function useGroups(squads: SquadOverview[]): Found {
  const owned = squads
    .map(each => each.squad)
    .filter(squad => squad !== UNOWNED);
  const names = owned.flatMap(squad => [bare(squad), PREFIX + bare(squad)]);
  return useCatalog(
    names.length ? named('group', names, SQUAD_ANNOTATION) : [],
    SQUAD_ANNOTATION,
    bare,
  );
}

function bare(name: string): string {
  return name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name;
}

/** All of them together. */
export function sumOf(squads: SquadOverview[]) {
  const sum = (part: (squad: SquadOverview) => number) =>
    squads.reduce((all, each) => all + part(each), 0);
  return {
    messages: sum(each => each.messages),
    services: sum(each => each.services),
    trend: {
      lastHour: sum(each => each.trend.lastHour),
      dayBefore: sum(each => each.trend.dayBefore),
    },
  };
}
