import { usePermission } from '@backstage/plugin-permission-react';
import {
  DeadLetterPermission,
  Me,
  deadLetterPermissionsByName,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { useAnswer } from './useDeadLetter';

/** As long as dead-letter uses what Backstage told it. */
const EVERY_MS = 60_000;

/** What somebody wants to do something with. */
export interface On {
  /** All of these services; any service where they are not known. */
  services?: string[] | null;
  /** The entity whose permissions count, such as `component:default/webshop`. */
  resourceRef?: string;
}

/** Whether somebody may do something. */
export interface May {
  allowed: boolean;
  /** Not known yet. */
  loading: boolean;
  /** dead-letter does not tell. */
  unknown: boolean;
  /** What Backstage calls the permission. */
  permission: string;
}

/**
 * Whether whoever looks may do something. Both must say so: Backstage's permission policy, where an entity is known, and dead-letter,
 * where something is needed on services. dead-letter decides again on each request.
 */
export function useMay(wanted: DeadLetterPermission, on: On = {}): May {
  const permission = deadLetterPermissionsByName[wanted];
  const { resourceRef, services } = on;
  const backstage = usePermission({ permission, resourceRef });
  const me = useAnswer(['me'], (client, signal) => client.me(signal), {
    every: EVERY_MS,
    keep: false,
  });
  const isPermitted = !resourceRef || backstage.allowed;
  const isGranted = me.data ? grants(me.data, wanted, services) : isOld(me);
  return {
    allowed: isPermitted && isGranted,
    loading: (Boolean(resourceRef) && backstage.loading) || me.isLoading,
    unknown: !me.data && !me.isLoading && !isOld(me),
    permission: permission.name,
  };
}

function grants(
  { permissions }: Me,
  wanted: DeadLetterPermission,
  services: On['services'],
): boolean {
  const found = permissions.find(each => each.permission === wanted);
  if (!found) return false;
  if (found.everything) return true;
  return services
    ? services.every(service => found.services.includes(service))
    : found.services.length > 0;
}

/** A dead-letter that does not tell it yet. It decides by itself. */
function isOld({ error }: { error: Error | null }): boolean {
  return (error as { statusCode?: number } | null)?.statusCode === 404;
}
