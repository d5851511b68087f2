import { createApiRef } from '@backstage/frontend-plugin-api';

/** In place of `@backstage/plugin-catalog-react`, most of which the plugin does not use, and the console has no need of. */
export const catalogApiRef = createApiRef<never>().with({
  id: 'plugin.catalog.service',
  pluginId: 'catalog',
});

/** Of filters, which nothing is asked with. */
export const CATALOG_FILTER_EXISTS = Symbol('exists');

/** Of the tabs of entities, which the console does not have. */
export function useEntity(): never {
  throw new Error('the console has no catalog');
}
