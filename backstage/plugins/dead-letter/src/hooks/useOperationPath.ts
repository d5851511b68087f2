import { useRouteRef } from '@backstage/frontend-plugin-api';
import { useCallback } from 'react';
import { operationsRouteRef } from '../routes';
import { useInEnvironment } from './useEnvironment';

/** The parameter in the address that names the operation that is shown. */
export const OPERATION_PARAMETER = 'operation';

/** Where operations are listed: all, or those of a service, a squad or an error group, by conditions. */
export function useOperationsPath(): (
  listed: Record<string, string | undefined>,
) => string {
  const inEnvironment = useInEnvironment();
  const operations = useRouteRef(operationsRouteRef)?.() ?? '';
  return useCallback(
    listed =>
      inEnvironment(
        operations,
        Object.fromEntries(
          Object.entries(listed).filter(([, value]) => value),
        ) as Record<string, string>,
      ),
    [inEnvironment, operations],
  );
}

/** Where an operation of this environment is shown. */
export function useOperationPath(): (id: string) => string {
  const inEnvironment = useInEnvironment();
  const operations = useRouteRef(operationsRouteRef)?.() ?? '';
  return useCallback(
    id => inEnvironment(operations, { [OPERATION_PARAMETER]: id }),
    [inEnvironment, operations],
  );
}
