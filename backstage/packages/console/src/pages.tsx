import { RouteRef } from '@backstage/frontend-plugin-api';
import {
  auditRouteRef,
  groupRouteRef,
  incidentsRouteRef,
  operationsRouteRef,
  searchRouteRef,
  serviceRouteRef,
  shiftLogRouteRef,
  squadRouteRef,
  squadsRouteRef,
} from '@dead-letter/backstage-plugin-dead-letter/src/console';
import { ComponentType, LazyExoticComponent, lazy } from 'react';

/** A page of the console, which is one of the plugin. */
interface Page {
  path: string;
  routeRef: RouteRef;
  /** As the palette names it; one that needs a name of a service or a squad is not there. */
  title?: string;
  /** The permission that it is for. */
  permission?: string;
  View: LazyExoticComponent<ComponentType>;
}

/** All pages: addresses, the palette and links are made of this list. */
export const PAGES: Page[] = [
  {
    path: '/console/squads',
    routeRef: squadsRouteRef,
    title: 'Squads',
    View: lazy(() =>
      import('@dead-letter/backstage-plugin-dead-letter/src/views/squads').then(
        view => ({ default: view.SquadsPage }),
      ),
    ),
  },
  {
    path: '/console/search',
    routeRef: searchRouteRef,
    title: 'Search',
    View: lazy(() =>
      import('@dead-letter/backstage-plugin-dead-letter/src/views/search').then(
        view => ({ default: view.SearchPage }),
      ),
    ),
  },
  {
    path: '/console/operations',
    routeRef: operationsRouteRef,
    title: 'Operations',
    View: lazy(() =>
      import(
        '@dead-letter/backstage-plugin-dead-letter/src/views/operations'
      ).then(view => ({ default: view.OperationsPage })),
    ),
  },
  {
    path: '/console/incidents',
    routeRef: incidentsRouteRef,
    title: 'Incidents',
    View: lazy(() =>
      import(
        '@dead-letter/backstage-plugin-dead-letter/src/views/incidents'
      ).then(view => ({ default: view.IncidentsPage })),
    ),
  },
  {
    path: '/console/shift-log',
    routeRef: shiftLogRouteRef,
    title: 'Shift log',
    View: lazy(() =>
      import(
        '@dead-letter/backstage-plugin-dead-letter/src/views/shiftLog'
      ).then(view => ({ default: view.ShiftLogPage })),
    ),
  },
  {
    path: '/console/audit',
    routeRef: auditRouteRef,
    title: 'Audit',
    permission: 'admin',
    View: lazy(() =>
      import('@dead-letter/backstage-plugin-dead-letter/src/views/audit').then(
        view => ({ default: view.AuditPage }),
      ),
    ),
  },
  {
    path: '/console/group',
    routeRef: groupRouteRef,
    View: lazy(() =>
      import('@dead-letter/backstage-plugin-dead-letter/src/views/group').then(
        view => ({ default: view.GroupPage }),
      ),
    ),
  },
  {
    path: '/console/squad',
    routeRef: squadRouteRef,
    View: lazy(() =>
      import('@dead-letter/backstage-plugin-dead-letter/src/views/squad').then(
        view => ({ default: view.SquadPage }),
      ),
    ),
  },
  {
    path: '/console/service',
    routeRef: serviceRouteRef,
    View: lazy(() =>
      import(
        '@dead-letter/backstage-plugin-dead-letter/src/views/service'
      ).then(view => ({ default: view.ServicePage })),
    ),
  },
];

/** The page that `/` shows. */
export const [FIRST_PAGE] = PAGES;
