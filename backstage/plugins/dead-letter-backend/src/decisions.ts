import {
  BackstageCredentials,
  BackstageUserPrincipal,
  PermissionsService,
  RootConfigService,
} from '@backstage/backend-plugin-api';
import { NotImplementedError } from '@backstage/errors';
import {
  AuthorizeResult,
  PolicyDecision,
  ResourcePermission,
} from '@backstage/plugin-permission-common';
import {
  DeadLetterPermission,
  deadLetterPermissionsByName,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { Components } from '@dead-letter/backstage-plugin-dead-letter-node';

/** Entities in one question: Backstage's permission API takes 100 kB. */
const BATCH = 200;

/** The services on which a user has a permission. */
interface Decision {
  permission: DeadLetterPermission;
  /** Whether on every service, also on those that the catalog does not have. */
  everything: boolean;
  /** On these services; empty for everything. */
  services: string[];
}

/** What `GET /decisions` answers. */
export interface DecisionsOfUser {
  user: string;
  permissions: Decision[];
}

type User = BackstageCredentials<BackstageUserPrincipal>;

interface Deps {
  components: Components;
  config: RootConfigService;
  permissions: PermissionsService;
}

/** What Backstage's permission policy allows. */
export class Decisions {
  constructor(private readonly deps: Deps) {}

  /** What it allows to a user, for all permissions. */
  async of(user: User): Promise<DecisionsOfUser> {
    // Where it is off, Backstage's own client allows everything.
    if (!this.deps.config.getOptionalBoolean('permission.enabled')) {
      throw new NotImplementedError(
        'Backstage asks no permission policy: set permission.enabled, or DEAD_LETTER_BACKSTAGE_PERMISSIONS=ignore in dead-letter',
      );
    }
    const named = Object.entries(deadLetterPermissionsByName) as [
      DeadLetterPermission,
      ResourcePermission<'catalog-entity'>,
    ][];
    const decisions = await this.deps.permissions.authorizeConditional(
      named.map(([_, permission]) => ({ permission })),
      { credentials: user },
    );
    // Most policies have the same conditions for many permissions: each is applied once.
    const applied = new Map<string, Promise<string[]>>();
    const decided = named.map(async ([name, permission], index) => {
      const decision = decisions[index];
      const everything = decision.result === AuthorizeResult.ALLOW;
      if (decision.result !== AuthorizeResult.CONDITIONAL) {
        return { permission: name, everything, services: [] };
      }
      const key = conditionsOf(decision);
      const services = applied.get(key) ?? this.services(permission, user);
      applied.set(key, services);
      return { permission: name, everything, services: await services };
    });
    return {
      user: user.principal.userEntityRef,
      permissions: await Promise.all(decided),
    };
  }

  /** The services on all of whose components the user has a permission. */
  private async services(
    permission: ResourcePermission<'catalog-entity'>,
    user: User,
  ): Promise<string[]> {
    const byService = await this.deps.components.byService();
    const refs = [...byService.values()].flat();
    const allowed = new Set<string>();
    for (let begin = 0; begin < refs.length; begin += BATCH) {
      const batch = refs.slice(begin, begin + BATCH);
      const decisions = await this.deps.permissions.authorize(
        batch.map(resourceRef => ({ permission, resourceRef })),
        { credentials: user },
      );
      decisions.forEach(({ result }, index) => {
        if (result === AuthorizeResult.ALLOW) allowed.add(batch[index]);
      });
    }
    // A component says itself which service it is. Whoever makes another one for the same service must not gain by it.
    return [...byService]
      .filter(([_, components]) => components.every(ref => allowed.has(ref)))
      .map(([service]) => service)
      .sort();
  }
}

function conditionsOf(decision: PolicyDecision): string {
  return JSON.stringify(decision);
}
