import {
  ApiBlueprint,
  PageBlueprint,
  SubPageBlueprint,
  configApiRef,
  createFrontendPlugin,
  discoveryApiRef,
  fetchApiRef,
} from '@backstage/frontend-plugin-api';
import { EntityContentBlueprint } from '@backstage/plugin-catalog-react/alpha';
import { RiInboxArchiveLine } from '@remixicon/react';
import { ProxiedDeadLetter } from './api/ProxiedDeadLetter';
import { deadLetterApiRef } from './api/DeadLetterApi';
import { readEnvironments } from './api/environments';
import {
  auditRouteRef,
  groupRouteRef,
  operationsRouteRef,
  rootRouteRef,
  searchRouteRef,
  serviceRouteRef,
  shiftLogRouteRef,
  squadRouteRef,
  squadsRouteRef,
} from './routes';
import { deadLetterTranslationRef } from './translation';

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
  params: {
    path: 'dead-letters',
    title: 'Dead Letters',
    group: 'operation',
    filter: { kind: 'group' },
    loader: () => import('./views/squad').then(view => <view.SquadTab />),
  },
});

const serviceTab = EntityContentBlueprint.make({
  name: 'service',
  params: {
    path: 'dead-letters',
    title: 'Dead Letters',
    group: 'operation',
    filter: { kind: 'component' },
    loader: () => import('./views/service').then(view => <view.ServiceTab />),
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
    searchPage,
    shiftLogPage,
    groupPage,
    auditPage,
    servicePage,
    squadPage,
    squadTab,
    serviceTab,
  ],
});
