import { createRouteRef } from '@backstage/frontend-plugin-api';

/** The page in the sidebar. */
export const rootRouteRef = createRouteRef();
export const squadsRouteRef = createRouteRef();
export const operationsRouteRef = createRouteRef();
export const searchRouteRef = createRouteRef();
export const incidentsRouteRef = createRouteRef();
export const shiftLogRouteRef = createRouteRef();
/** Of an error group, by its id. */
export const groupRouteRef = createRouteRef();
export const auditRouteRef = createRouteRef();
/** Of a service and of a squad that the catalog does not have. */
export const serviceRouteRef = createRouteRef();
export const squadRouteRef = createRouteRef();
