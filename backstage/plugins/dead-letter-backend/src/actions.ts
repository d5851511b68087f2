import {
  AuthService,
  BackstageCredentials,
} from '@backstage/backend-plugin-api';
import { ActionsRegistryService } from '@backstage/backend-plugin-api/alpha';
import { InputError, NotAllowedError } from '@backstage/errors';
import {
  deadLetterListGroupsActionPermission,
  deadLetterPlanActionPermission,
  deadLetterRunPlanActionPermission,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import {
  DeadLetter,
  ReachableEnvironment,
} from '@dead-letter/backstage-plugin-dead-letter-node';
import { environmentOf } from './forward';

interface Deps {
  actionsRegistry: ActionsRegistryService;
  auth: AuthService;
  environments: ReachableEnvironment[];
}

/** Described in each action. */
const ENVIRONMENT =
  'Name of the environment of dead-letter. The first one is the default.';
/** In total by the end of each step. */
const CANARY = [1, 10, 100];
const GROUPS_BY_DEFAULT = 20;
const MOST_GROUPS = 200;

/**
 * What agents and workflows can do: on behalf of a user, within the user's permissions, and only with a plan between them and the broker.
 */
export function registerActions(deps: Deps): void {
  registerListGroups(deps);
  registerPlan(deps);
  registerRun(deps);
}

/** dead-letter, for the user on whose behalf an action is called. It decides what that user may do. */
async function deadLetterFor(
  { auth, environments }: Deps,
  credentials: BackstageCredentials,
  name: string | undefined,
): Promise<DeadLetter> {
  if (!auth.isPrincipal(credentials, 'user')) {
    throw new NotAllowedError('This action is only for users');
  }
  const [first] = environments;
  if (!first) {
    throw new InputError('deadLetter.environments has none with a target');
  }
  const { target } =
    name === undefined ? first : environmentOf(environments, name);
  const { token } = await auth.getPluginRequestToken({
    onBehalfOf: credentials,
    targetPluginId: 'dead-letter',
  });
  return new DeadLetter(target, token);
}

function registerListGroups(deps: Deps): void {
  deps.actionsRegistry.register({
    name: 'list-error-groups',
    title: 'List error groups',
    description:
      'Lists why messages died in RabbitMQ: error groups with the number of their dead letters, most first. Contains no payloads.',
    visibilityPermission: deadLetterListGroupsActionPermission,
    attributes: { readOnly: true, idempotent: true },
    schema: {
      input: z =>
        z.object({
          environment: z.string().optional().describe(ENVIRONMENT),
          service: z.string().optional().describe('Only of this service.'),
          squad: z
            .string()
            .optional()
            .describe('Only of the services of this squad.'),
          limit: z
            .number()
            .int()
            .min(1)
            .max(MOST_GROUPS)
            .default(GROUPS_BY_DEFAULT),
        }),
      output: z =>
        z.object({
          groups: z.array(
            z.object({
              id: z.string(),
              title: z.string().nullable(),
              errorType: z.string().nullable(),
              reason: z.string().nullable(),
              service: z.string(),
              squad: z.string(),
              state: z.string(),
              count: z.number().describe('Dead letters.'),
              firstSeen: z.string(),
              lastSeen: z.string(),
            }),
          ),
          total: z.number().describe('All groups, listed or not.'),
          messages: z.number().describe('Dead letters in all groups.'),
        }),
    },
    async action({ input: { environment, ...request }, credentials }) {
      const client = await deadLetterFor(deps, credentials, environment);
      const { groups, total, messages } = await client.errorGroups(request);
      return {
        output: {
          total,
          messages,
          groups: groups.map(each => ({
            id: each.id,
            title: each.title,
            errorType: each.errorType,
            reason: each.reason,
            service: each.service,
            squad: each.squad,
            state: each.state,
            count: each.count,
            firstSeen: each.firstSeen,
            lastSeen: each.lastSeen,
          })),
        },
      };
    },
  });
}

function registerPlan(deps: Deps): void {
  deps.actionsRegistry.register({
    name: 'plan-redelivery',
    title: 'Plan a redelivery',
    description:
      'Freezes which dead letters would be redelivered, and tells how many, where to, and what to beware of. Nothing is sent. The plan ' +
      'can be run with run-plan until it expires: show its warnings to a human first.',
    visibilityPermission: deadLetterPlanActionPermission,
    attributes: { destructive: false },
    schema: {
      input: z =>
        z.object({
          environment: z.string().optional().describe(ENVIRONMENT),
          service: z.string().describe('The service whose dead letters.'),
          errorGroup: z
            .string()
            .uuid()
            .optional()
            .describe('Only those of this error group.'),
          canary: z
            .boolean()
            .default(true)
            .describe(
              'Whether a few are sent first, and the rest only if none of them dies again.',
            ),
          note: z.string().max(1_000).optional().describe('The reason.'),
        }),
      output: z =>
        z.object({
          planId: z.string(),
          total: z.number().describe('Dead letters in the plan.'),
          queues: z.array(
            z.object({ queue: z.string().nullable(), count: z.number() }),
          ),
          warnings: z.array(
            z.object({ severity: z.string(), message: z.string() }),
          ),
          expiresAt: z.string(),
        }),
    },
    async action({ input, credentials }) {
      const { environment, service, errorGroup, canary, note } = input;
      const client = await deadLetterFor(deps, credentials, environment);
      const plan = await client.plan({
        kind: 'redeliver',
        filter: { service, errorGroup },
        note,
        ...(canary && { canary: CANARY }),
      });
      return {
        output: {
          planId: plan.id,
          total: plan.total,
          queues: plan.queues.map(({ value, count }) => ({
            queue: value,
            count,
          })),
          warnings: plan.warnings.map(({ severity, message }) => ({
            severity,
            message,
          })),
          expiresAt: plan.expiresAt,
        },
      };
    },
  });
}

function registerRun(deps: Deps): void {
  deps.actionsRegistry.register({
    name: 'run-plan',
    title: 'Run an approved plan',
    description:
      'Runs a plan of plan-redelivery, once a human has approved it. Messages are then sent to the broker. If awaitsApproval is true, ' +
      'dead-letter wants a second person to approve the operation, and sends nothing before.',
    visibilityPermission: deadLetterRunPlanActionPermission,
    attributes: { destructive: true, idempotent: true },
    schema: {
      input: z =>
        z.object({
          environment: z.string().optional().describe(ENVIRONMENT),
          planId: z.string().uuid(),
          rate: z
            .number()
            .int()
            .min(1)
            .optional()
            .describe('At most so many messages a second.'),
        }),
      output: z =>
        z.object({
          operationId: z.string(),
          state: z.string(),
          total: z.number(),
          awaitsApproval: z.boolean(),
        }),
    },
    async action({ input: { environment, ...plan }, credentials }) {
      const client = await deadLetterFor(deps, credentials, environment);
      const operation = await client.run(plan);
      return {
        output: {
          operationId: operation.id,
          state: operation.state,
          total: operation.total,
          awaitsApproval: operation.awaitsApproval,
        },
      };
    },
  });
}
