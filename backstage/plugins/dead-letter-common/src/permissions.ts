import {
  BasicPermission,
  PermissionAttributes,
  ResourcePermission,
  createPermission,
} from '@backstage/plugin-permission-common';

/** The permissions are about the entity whose dead letters they are: a component, or a group for what it owns. */
const RESOURCE_TYPE = 'catalog-entity';

/**
 * A permission, as dead-letter's API and its policy name it.
 * @public
 */
export type DeadLetterPermission =
  | 'read'
  | 'read-payload'
  | 'triage'
  | 'redeliver'
  | 'redirect'
  | 'edit'
  | 'delete'
  | 'admin';

function permission(
  name: DeadLetterPermission,
  action?: PermissionAttributes['action'],
): ResourcePermission<typeof RESOURCE_TYPE> {
  return createPermission({
    name: `dead-letter.message.${name}`,
    attributes: action ? { action } : {},
    resourceType: RESOURCE_TYPE,
  });
}

function basic(
  name: string,
  action: PermissionAttributes['action'],
): BasicPermission {
  return createPermission({ name, attributes: { action } });
}

/**
 * To see the dead letters of a component or a group, without bodies and headers.
 * @public
 */
export const deadLetterReadPermission = permission('read', 'read');

/**
 * To see and download bodies and headers of a component's dead letters, and to search in them.
 * @public
 */
export const deadLetterReadPayloadPermission = permission(
  'read-payload',
  'read',
);

/**
 * To resolve, mute, reopen and annotate error groups of a component.
 * @public
 */
export const deadLetterTriagePermission = permission('triage', 'update');

/**
 * To put dead letters of a component back.
 * @public
 */
export const deadLetterRedeliverPermission = permission('redeliver', 'update');

/**
 * To send dead letters of a component, or copies of them, somewhere else.
 * @public
 */
export const deadLetterRedirectPermission = permission('redirect', 'update');

/**
 * To change dead letters of a component before they are sent.
 * @public
 */
export const deadLetterEditPermission = permission('edit', 'update');

/**
 * To delete dead letters of a component, and to restore them.
 * @public
 */
export const deadLetterDeletePermission = permission('delete', 'delete');

/**
 * To read the audit. It has no action: a policy that allows all reading must not allow this by accident.
 * @public
 */
export const deadLetterAdminPermission = permission('admin');

/**
 * By the name that dead-letter has for each.
 * @public
 */
export const deadLetterPermissionsByName: Record<
  DeadLetterPermission,
  ResourcePermission<typeof RESOURCE_TYPE>
> = {
  read: deadLetterReadPermission,
  'read-payload': deadLetterReadPayloadPermission,
  triage: deadLetterTriagePermission,
  redeliver: deadLetterRedeliverPermission,
  redirect: deadLetterRedirectPermission,
  edit: deadLetterEditPermission,
  delete: deadLetterDeletePermission,
  admin: deadLetterAdminPermission,
};

/**
 * All that are about an entity.
 * @public
 */
export const deadLetterPermissions = Object.values(deadLetterPermissionsByName);

/**
 * To have the elements of the plugin on the pages of Backstage: the page in the sidebar, tabs, cards and the filter of the catalog. What
 * they show is up to the other permissions.
 * @public
 */
export const deadLetterViewPermission = basic('dead-letter.view', 'read');

/**
 * To have the action that lists error groups, for agents and workflows.
 * @public
 */
export const deadLetterListGroupsActionPermission = basic(
  'dead-letter.action.list-groups',
  'read',
);

/**
 * To have the action that plans a redelivery.
 * @public
 */
export const deadLetterPlanActionPermission = basic(
  'dead-letter.action.plan',
  'read',
);

/**
 * To have the action that runs a plan.
 * @public
 */
export const deadLetterRunPlanActionPermission = basic(
  'dead-letter.action.run-plan',
  'update',
);

/**
 * Those that are about no entity: whether somebody has a part of the plugin at all.
 * @public
 */
export const deadLetterBasicPermissions = [
  deadLetterViewPermission,
  deadLetterListGroupsActionPermission,
  deadLetterPlanActionPermission,
  deadLetterRunPlanActionPermission,
];
