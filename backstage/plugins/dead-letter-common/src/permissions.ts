import { createPermission } from '@backstage/plugin-permission-common';

/** The permissions are about the entity whose dead letters they are: a component, or a group for what it owns. */
const RESOURCE_TYPE = 'catalog-entity';

/**
 * To see the dead letters of a component or a group.
 * @public
 */
export const deadLetterReadPermission = createPermission({
  name: 'dead-letter.message.read',
  attributes: { action: 'read' },
  resourceType: RESOURCE_TYPE,
});

/**
 * To put dead letters of a component back.
 * @public
 */
export const deadLetterRedeliverPermission = createPermission({
  name: 'dead-letter.message.redeliver',
  attributes: { action: 'update' },
  resourceType: RESOURCE_TYPE,
});

/**
 * To delete dead letters of a component, and to restore them.
 * @public
 */
export const deadLetterDeletePermission = createPermission({
  name: 'dead-letter.message.delete',
  attributes: { action: 'delete' },
  resourceType: RESOURCE_TYPE,
});

/**
 * To read the audit. It is about no entity.
 * @public
 */
export const deadLetterAuditPermission = createPermission({
  name: 'dead-letter.audit.read',
  attributes: { action: 'read' },
});

/**
 * All of them.
 * @public
 */
export const deadLetterPermissions = [
  deadLetterReadPermission,
  deadLetterRedeliverPermission,
  deadLetterDeletePermission,
  deadLetterAuditPermission,
];
