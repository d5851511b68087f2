import { usePermission } from '@backstage/plugin-permission-react';
import {
  Operation,
  deadLetterDeletePermission,
  deadLetterRedeliverPermission,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { askedOf } from './operation';

/**
 * Whether whoever looks may steer this operation, and the name of the permission for it. Where the selection names no service the
 * permission cannot be asked for: the service decides.
 */
export function useSteeringAllowed(operation: Operation) {
  const permission =
    operation.kind === 'redeliver'
      ? deadLetterRedeliverPermission
      : deadLetterDeletePermission;
  const service = askedOf(operation).filter?.service;
  const resourceRef = service ? `component:default/${service}` : undefined;
  const { allowed, loading } = usePermission({ permission, resourceRef });
  return {
    allowed: !resourceRef || allowed,
    loading: Boolean(resourceRef) && loading,
    permission: permission.name,
  };
}
