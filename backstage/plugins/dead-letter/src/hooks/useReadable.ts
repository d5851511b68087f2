import { useApi } from '@backstage/frontend-plugin-api';
import { AuthorizeResult } from '@backstage/plugin-permission-common';
import { permissionApiRef } from '@backstage/plugin-permission-react';
import { deadLetterReadPermission } from '@dead-letter/backstage-plugin-dead-letter-common';
import { useQuery } from '@tanstack/react-query';

/** Tells of entities whether whoever looks may see their dead letters; undefined while that is not known. */
export function useReadable(
  resourceRefs: string[],
): (resourceRef: string) => boolean | undefined {
  const permissions = useApi(permissionApiRef);
  const wanted = [...new Set(resourceRefs)].sort();
  const { data } = useQuery({
    queryKey: ['readable', ...wanted],
    queryFn: async () => {
      const decisions = await Promise.all(
        wanted.map(resourceRef =>
          permissions.authorize({
            permission: deadLetterReadPermission,
            resourceRef,
          }),
        ),
      );
      return new Map(
        decisions.map(({ result }, index) => [
          wanted[index],
          result === AuthorizeResult.ALLOW,
        ]),
      );
    },
    enabled: wanted.length > 0,
  });
  return resourceRef => data?.get(resourceRef);
}
