import { Entity } from '@backstage/catalog-model';
import { ToastApiMessage, toastApiRef } from '@backstage/frontend-plugin-api';
import { EntityProvider, catalogApiRef } from '@backstage/plugin-catalog-react';
import { catalogApiMock } from '@backstage/plugin-catalog-react/testUtils';
import { permissionApiRef } from '@backstage/plugin-permission-react';
import { mockApis, renderInTestApp } from '@backstage/frontend-test-utils';
import { AuthorizeResult } from '@backstage/plugin-permission-common';
import { ReactElement } from 'react';
import { SWRConfig, mutate } from 'swr';
import { ProxiedDeadLetter } from '../api/ProxiedDeadLetter';
import { deadLetterApiRef } from '../api/DeadLetterApi';
import { Environment } from '../api/environments';
import { answers } from '../components/Answers';
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
} from '../routes';

/** The environments of tests. */
const ENVIRONMENTS = ['demo', 'other'].map(name => ({
  name,
  title: name,
  proxyPath: `/dead-letter/${name}`,
}));

/** Options of a view in a test. */
export interface Shown {
  /** Path and query of the address. */
  at?: string;
  /** Whose page it is on. */
  entity?: Entity;
  /** What the catalog has; nothing by default. */
  catalog?: Entity[];
  /** Takes the toasts that are posted. */
  toasts?: ToastApiMessage[];
  /** Names of permissions that are denied. */
  denied?: string[];
  /** The groups of whoever looks; none by default. */
  groups?: string[];
  /** Two by default. */
  environments?: Environment[];
}

/** Renders a view in an app, on the service as it answers tests. */
export function show(
  view: ReactElement,
  {
    at,
    entity,
    catalog = [],
    toasts = [],
    denied = [],
    groups = [],
    environments = ENVIRONMENTS,
  }: Shown = {},
) {
  // What another test was answered is not to be seen in this one: neither what the service said, nor what is permitted.
  answers.clear();
  void mutate(() => true, undefined, { revalidate: false });
  const api = new ProxiedDeadLetter(environments, {
    discoveryApi: {
      getBaseUrl: async plugin => `http://localhost:7007/api/${plugin}`,
    },
    fetchApi: { fetch: (...request) => fetch(...request) },
  });
  return renderInTestApp(
    <SWRConfig value={{ dedupingInterval: 0 }}>
      {entity ? <EntityProvider entity={entity}>{view}</EntityProvider> : view}
    </SWRConfig>,
    {
      initialRouteEntries: [at ?? '/'],
      mountedRoutes: {
        '/dead-letter': rootRouteRef,
        '/dead-letter/squads': squadsRouteRef,
        '/dead-letter/operations': operationsRouteRef,
        '/dead-letter/search': searchRouteRef,
        '/dead-letter/audit': auditRouteRef,
        '/dead-letter/incidents': incidentsRouteRef,
        '/dead-letter/shift-log': shiftLogRouteRef,
        '/dead-letter/group': groupRouteRef,
        '/dead-letter/service': serviceRouteRef,
        '/dead-letter/squad': squadRouteRef,
      },
      apis: [
        [deadLetterApiRef, api],
        [
          toastApiRef,
          {
            post: toast => {
              toasts.push(toast);
              // One that is closed is not shown any more.
              return { close: () => toasts.splice(toasts.indexOf(toast), 1) };
            },
          },
        ],
        mockApis.identity({ ownershipEntityRefs: groups }),
        [catalogApiRef, catalogApiMock({ entities: catalog })],
        [
          permissionApiRef,
          mockApis.permission({
            authorize: ({ permission }) =>
              denied.includes(permission.name)
                ? AuthorizeResult.DENY
                : AuthorizeResult.ALLOW,
          }),
        ],
      ],
    },
  );
}

/** A service of the catalog. */
export function component(name: string, annotations = {}): Entity {
  return {
    apiVersion: 'backstage.io/v1alpha1',
    kind: 'Component',
    metadata: { name, namespace: 'default', annotations },
    spec: { type: 'service', lifecycle: 'production', owner: 'checkout' },
  };
}

/** A squad of the catalog. */
export function group(name: string): Entity {
  return {
    apiVersion: 'backstage.io/v1alpha1',
    kind: 'Group',
    metadata: { name, namespace: 'default' },
    spec: { type: 'squad', children: [] },
  };
}
