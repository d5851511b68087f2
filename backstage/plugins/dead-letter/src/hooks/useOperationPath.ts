import { useRouteRef } from '@backstage/frontend-plugin-api';
import { useCallback } from 'react';
import { operationsRouteRef } from '../routes';
import { useInEnvironment } from './useEnvironment';

/** The parameter in the address that names the operation that is shown. */
export const OPERATION_PARAMETER = 'operation';

/** Where all operations of a service or a squad are listed. */
export function useOperationsPath(): (
  owner: Partial<Record<'service' | 'squad', string>>,
) => string {
  const inEnvironment = useInEnvironment();
  const operations = useRouteRef(operationsRouteRef)?.() ?? '';
  return useCallback(
    owner => inEnvironment(operations, owner as Record<string, string>),
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
