import { createBackendModule } from '@backstage/backend-plugin-api';
import {
  catalogConditions,
  createCatalogConditionalDecision,
} from '@backstage/plugin-catalog-backend/alpha';
import {
  AuthorizeResult,
  PolicyDecision,
  isPermission,
} from '@backstage/plugin-permission-common';
import {
  PermissionPolicy,
  PolicyQuery,
  PolicyQueryUser,
} from '@backstage/plugin-permission-node';
import { policyExtensionPoint } from '@backstage/plugin-permission-node/alpha';
import {
  deadLetterDeletePermission,
  deadLetterPermissions,
  deadLetterReadPermission,
  deadLetterRunPlanActionPermission,
  deadLetterViewPermission,
} from '@dead-letter/backstage-plugin-dead-letter-common';

/** Where nobody signs in, whoever opens the demo. */
const GUEST = 'user:development/guest';
const PLATFORM = 'group:default/platform';

/** Squads act on their own components, and only the platform team deletes. */
class DemoPolicy implements PermissionPolicy {
  async handle(
    { permission }: PolicyQuery,
    user?: PolicyQueryUser,
  ): Promise<PolicyDecision> {
    const claims = user?.info.ownershipEntityRefs ?? [];
    if (isPermission(permission, deadLetterViewPermission)) {
      // Whoever belongs to no squad has none of it.
      const isInSquad = claims.some(ref => ref.startsWith('group:'));
      return {
        result: isInSquad ? AuthorizeResult.ALLOW : AuthorizeResult.DENY,
      };
    }
    if (isPermission(permission, deadLetterRunPlanActionPermission)) {
      // Agents of the others plan, and leave it to their user to run that.
      return {
        result: claims.includes(PLATFORM)
          ? AuthorizeResult.ALLOW
          : AuthorizeResult.DENY,
      };
    }
    const asked = deadLetterPermissions.find(each =>
      isPermission(permission, each),
    );
    if (!asked) return { result: AuthorizeResult.ALLOW };
    if (user?.info.userEntityRef === GUEST || claims.includes(PLATFORM)) {
      return { result: AuthorizeResult.ALLOW };
    }
    if (isPermission(asked, deadLetterDeletePermission)) {
      return { result: AuthorizeResult.DENY };
    }
    const isOwner = catalogConditions.isEntityOwner({ claims });
    if (!isPermission(asked, deadLetterReadPermission)) {
      return createCatalogConditionalDecision(asked, isOwner);
    }
    // Groups have no owner. What the tab of one shows is about its components.
    return createCatalogConditionalDecision(asked, {
      anyOf: [isOwner, catalogConditions.isEntityKind({ kinds: ['group'] })],
    });
  }
}

export default createBackendModule({
  pluginId: 'permission',
  moduleId: 'demo-policy',
  register(env) {
    env.registerInit({
      deps: { policy: policyExtensionPoint },
      async init({ policy }) {
        policy.setPolicy(new DemoPolicy());
      },
    });
  },
});
