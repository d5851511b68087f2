import { AuthorizeResult } from '@backstage/plugin-permission-common';
import { PermissionApi } from '@backstage/plugin-permission-react';
import { Me } from '@dead-letter/backstage-plugin-dead-letter-common';

/** Of `dead-letter.message.redeliver`, what the service calls it. */
const permissionOf = (name: string) => name.split('.').pop();

/** Of `component:default/webshop`, `component` and `webshop`. */
function entityOf(resourceRef = ''): { kind: string; name: string } {
  const [kind, path = ''] = resourceRef.split(':');
  return { kind, name: path.split('/').pop() ?? '' };
}

/**
 * What the plugin asks of Backstage's permissions, answered from what the service says that the caller may do. A squad's page shows
 * those of its services that the caller may see, so a permission on any service is enough for it.
 */
export function permissions(me: () => Promise<Me>): PermissionApi {
  return {
    async authorize(asked) {
      const { permissions: granted } = await me();
      const wanted = permissionOf(asked.permission.name);
      const grant = granted.find(each => each.permission === wanted);
      const { kind, name } = entityOf(
        'resourceRef' in asked ? asked.resourceRef : undefined,
      );
      const services = grant?.services ?? [];
      const isAllowed =
        grant?.everything ||
        (kind === 'component'
          ? services.some(each => each.toLowerCase() === name)
          : services.length > 0);
      return {
        result: isAllowed ? AuthorizeResult.ALLOW : AuthorizeResult.DENY,
      };
    },
  };
}
