import { RouteRef, RouteResolutionApi } from '@backstage/frontend-plugin-api';

/** Where pages are. */
export function routes(
  pages: { path: string; routeRef: RouteRef }[],
): RouteResolutionApi {
  const paths = new Map<unknown, () => string>(
    pages.map(({ path, routeRef }) => [routeRef, () => path]),
  );
  return {
    resolve: (routeRef: unknown) => paths.get(routeRef) as any,
    resolvePath: () => ({ matches: [] }),
  };
}
