import { useRouteRef } from '@backstage/frontend-plugin-api';
import { useCallback } from 'react';
import { groupRouteRef } from '../routes';
import { useInEnvironment } from './useEnvironment';

/** The parameter in the address that names an error group. */
export const GROUP_PARAMETER = 'id';

/** Where an error group of this environment is shown. */
export function useGroupPath(): (id: string) => string {
  const inEnvironment = useInEnvironment();
  const page = useRouteRef(groupRouteRef)?.() ?? '';
  return useCallback(
    id => inEnvironment(page, { [GROUP_PARAMETER]: id }),
    [inEnvironment, page],
  );
}
