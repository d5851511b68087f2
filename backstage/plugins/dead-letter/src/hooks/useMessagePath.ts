import { useRouteRef } from '@backstage/frontend-plugin-api';
import { useCallback } from 'react';
import { searchRouteRef } from '../routes';
import { useInEnvironment } from './useEnvironment';

/** The parameter in the address that names the dead letter that is open. */
export const MESSAGE_PARAMETER = 'message';
/** The parameter in the address that says what is looked for. */
export const FIND_PARAMETER = 'find';

/** Where a dead letter of any service is shown, by its id. */
export function useMessagePath(): (id: string) => string {
  const toSearch = useSearchPath();
  return useCallback(id => toSearch({ [MESSAGE_PARAMETER]: id }), [toSearch]);
}

/** The search over all services. */
export function useSearchPath(): (
  parameters: Record<string, string>,
) => string {
  const inEnvironment = useInEnvironment();
  const search = useRouteRef(searchRouteRef)?.() ?? '';
  return useCallback(
    parameters => inEnvironment(search, parameters),
    [inEnvironment, search],
  );
}
