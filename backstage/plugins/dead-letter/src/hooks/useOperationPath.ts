import { useRouteRef } from '@backstage/frontend-plugin-api';
import { useCallback } from 'react';
import { operationsRouteRef } from '../routes';
import { useInEnvironment } from './useEnvironment';

/** The parameter in the address that names the operation that is shown. */
export const OPERATION_PARAMETER = 'operation';

/** Where an operation of this environment is shown. */
export function useOperationPath(): (id: string) => string {
  const inEnvironment = useInEnvironment();
  const operations = useRouteRef(operationsRouteRef)?.() ?? '';
  return useCallback(
    id => inEnvironment(operations, { [OPERATION_PARAMETER]: id }),
    [inEnvironment, operations],
  );
}
