import {
  ApiBlueprint,
  PageBlueprint,
  SubPageBlueprint,
  configApiRef,
  createFrontendPlugin,
  discoveryApiRef,
  fetchApiRef,
} from '@backstage/frontend-plugin-api';
import {
  CatalogFilterBlueprint,
  EntityCardBlueprint,
  EntityContentBlueprint,
  EntityContextMenuItemBlueprint,
} from '@backstage/plugin-catalog-react/alpha';
import { HomePageWidgetBlueprint } from '@backstage/plugin-home-react/alpha';
import { deadLetterViewPermission } from '@dead-letter/backstage-plugin-dead-letter-common';
import { RiInboxArchiveLine, RiSendPlaneLine } from '@remixicon/react';
import { ProxiedDeadLetter } from './api/ProxiedDeadLetter';
import { deadLetterApiRef } from './api/DeadLetterApi';
import { readEnvironments } from './api/environments';
import {
  auditRouteRef,
  groupRouteRef,
  incidentsRouteRef,
  operationsRouteRef,
  rootRouteRef,
  searchRouteRef,
  serviceRouteRef,
  shiftLogRouteRef,
  squadRouteRef,
  squadsRouteRef,
} from './routes';
import { deadLetterTranslationRef } from './translation';
import {
  isOneService,
  useRedeliverItem,
} from './views/catalog/useRedeliverItem';

/** For whoever may have the plugin at all. Whose dead letters somebody may see is decided where they are shown. */
const ifPermitted = {
  permissions: {
    $contains: `${deadLetterViewPermission.name}#${deadLetterViewPermission.attributes.action}`,
  },
};

const api = ApiBlueprint.make({
  params: defineParams =>
    defineParams({
      api: deadLetterApiRef,
      deps: {
        configApi: configApiRef,
        discoveryApi: discoveryApiRef,
        fetchApi: fetchApiRef,
      },
      factory: ({ configApi, ...deps }) =>
        new ProxiedDeadLetter(readEnvironments(configApi), deps),
    }),
});

const page = PageBlueprint.make({
  if: ifPermitted,
  params: {
    path: '/dead-letter',
    title: 'Dead Letter',
    icon: <RiInboxArchiveLine />,
    routeRef: rootRouteRef,
    // The views have one of their own: that of the framework points to a tab panel that is not there.
    noHeader: true,
  },
});

const squadsPage = SubPageBlueprint.make({
  name: 'squads',
  params: {
    path: 'squads',
    title: deadLetterTranslationRef('squads.title'),
    routeRef: squadsRouteRef,
    loader: () => import('./views/squads').then(view => <view.SquadsPage />),
  },
});

const operationsPage = SubPageBlueprint.make({
  name: 'operations',
  params: {
    path: 'operations',
    title: deadLetterTranslationRef('operations.title'),
    routeRef: operationsRouteRef,
    loader: () =>
      import('./views/operations').then(view => <view.OperationsPage />),
  },
});

const incidentsPage = SubPageBlueprint.make({
  name: 'incidents',
  params: {
    path: 'incidents',
    title: deadLetterTranslationRef('incidents.title'),
    routeRef: incidentsRouteRef,
    loader: () =>
      import('./views/incidents').then(view => <view.IncidentsPage />),
  },
});

const searchPage = SubPageBlueprint.make({
  name: 'search',
  params: {
    path: 'search',
    title: deadLetterTranslationRef('search.title'),
    routeRef: searchRouteRef,
    loader: () => import('./views/search').then(view => <view.SearchPage />),
  },
});

const shiftLogPage = SubPageBlueprint.make({
  name: 'shift-log',
  params: {
    path: 'shift-log',
    title: deadLetterTranslationRef('shiftLog.title'),
    routeRef: shiftLogRouteRef,
    loader: () =>
      import('./views/shiftLog').then(view => <view.ShiftLogPage />),
  },
});

const groupPage = SubPageBlueprint.make({
  name: 'group-page',
  params: {
    path: 'group',
    title: deadLetterTranslationRef('group.title'),
    routeRef: groupRouteRef,
    loader: () => import('./views/group').then(view => <view.GroupPage />),
  },
});

const auditPage = SubPageBlueprint.make({
  name: 'audit',
  params: {
    path: 'audit',
    title: deadLetterTranslationRef('audit.title'),
    routeRef: auditRouteRef,
    loader: () => import('./views/audit').then(view => <view.AuditPage />),
  },
});

const servicePage = SubPageBlueprint.make({
  name: 'service-page',
  params: {
    path: 'service',
    title: deadLetterTranslationRef('service.title'),
    routeRef: serviceRouteRef,
    loader: () => import('./views/service').then(view => <view.ServicePage />),
  },
});

const squadPage = SubPageBlueprint.make({
  name: 'squad-page',
  params: {
    path: 'squad',
    title: deadLetterTranslationRef('squad.title'),
    routeRef: squadRouteRef,
    loader: () => import('./views/squad').then(view => <view.SquadPage />),
  },
});

const squadTab = EntityContentBlueprint.make({
  name: 'squad',
  if: ifPermitted,
  params: {
    path: 'dead-letters',
    title: deadLetterTranslationRef('catalog.tab'),
    group: 'operation',
    filter: { kind: 'group' },
    loader: () => import('./views/squad').then(view => <view.SquadTab />),
  },
});

const serviceTab = EntityContentBlueprint.make({
  name: 'service',
  if: ifPermitted,
  params: {
    path: 'dead-letters',
    title: deadLetterTranslationRef('catalog.tab'),
    group: 'operation',
    filter: { kind: 'component' },
    loader: () => import('./views/service').then(view => <view.ServiceTab />),
  },
});

const squadCard = EntityCardBlueprint.make({
  name: 'squad',
  if: ifPermitted,
  params: {
    type: 'info',
    filter: { kind: 'group' },
    loader: () => import('./views/catalog').then(view => <view.SquadCard />),
  },
});

const serviceCard = EntityCardBlueprint.make({
  name: 'service',
  if: ifPermitted,
  params: {
    type: 'info',
    filter: { kind: 'component' },
    loader: () => import('./views/catalog').then(view => <view.ServiceCard />),
  },
});

const redeliverItem = EntityContextMenuItemBlueprint.make({
  name: 'redeliver',
  if: ifPermitted,
  params: {
    icon: <RiSendPlaneLine />,
    filter: isOneService,
    useProps: useRedeliverItem,
  },
});

const catalogFilter = CatalogFilterBlueprint.make({
  name: 'has-dead-letters',
  if: ifPermitted,
  params: {
    loader: () =>
      import('./views/catalog').then(view => <view.DeadLettersFilter />),
  },
});

const mySquads = HomePageWidgetBlueprint.make({
  name: 'my-squads',
  if: ifPermitted,
  params: {
    name: 'DeadLetterMySquads',
    title: 'Dead letters of my squads',
    description:
      'What is dead in the services of the groups that you belong to',
    layout: { height: { minRows: 4 }, width: { minColumns: 4 } },
    components: () =>
      import('./views/home').then(view => ({ Content: view.MySquads })),
  },
});

/**
 * Shows the dead letters of RabbitMQ by squad and by service, and redelivers or deletes them.
 * @public
 */
export const deadLetterPlugin = createFrontendPlugin({
  pluginId: 'dead-letter',
  title: 'Dead Letter',
  icon: <RiInboxArchiveLine />,
  info: { packageJson: () => import('../package.json') },
  routes: {
    root: rootRouteRef,
    squads: squadsRouteRef,
    operations: operationsRouteRef,
    incidents: incidentsRouteRef,
    search: searchRouteRef,
    shiftLog: shiftLogRouteRef,
    group: groupRouteRef,
    audit: auditRouteRef,
    service: serviceRouteRef,
    squad: squadRouteRef,
  },
  extensions: [
    api,
    page,
    squadsPage,
    operationsPage,
    incidentsPage,
    searchPage,
    shiftLogPage,
    groupPage,
    auditPage,
    servicePage,
    squadPage,
    squadTab,
    serviceTab,
    squadCard,
    serviceCard,
    redeliverItem,
    catalogFilter,
    mySquads,
  ],
});
