import { createRouteRef } from '@backstage/frontend-plugin-api';

/** The page in the sidebar. */
export const rootRouteRef = createRouteRef();
export const squadsRouteRef = createRouteRef();
export const operationsRouteRef = createRouteRef();
