import { AuthorizeResult } from '@backstage/plugin-permission-common';
import {
  Me,
  deadLetterDeletePermission,
  deadLetterReadPermission,
  deadLetterRedeliverPermission,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { permissions } from './permissions';

const grant = (permission: string, services: string[], everything = false) => ({
  permission,
  everything,
  services,
});

/** Of `ada`, who may read two services and redeliver one. */
const me = {
  permissions: [
    grant('read', ['Webshop', 'basket']),
    grant('redeliver', ['Webshop']),
    grant('delete', []),
    grant('admin', []),
  ],
} as unknown as Me;
const root = {
  permissions: [grant('delete', [], true), grant('admin', [], true)],
} as unknown as Me;

async function may(caller: Me, permission: any, resourceRef?: string) {
  const { result } = await permissions(async () => caller).authorize({
    permission,
    resourceRef,
  } as any);
  return result === AuthorizeResult.ALLOW;
}

describe('permissions', () => {
  it('are those of the service', async () => {
    const redeliver = deadLetterRedeliverPermission;
    expect(await may(me, redeliver, 'component:default/webshop')).toBe(true);
    expect(await may(me, redeliver, 'component:default/basket')).toBe(false);
    const remove = deadLetterDeletePermission;
    expect(await may(me, remove, 'component:default/webshop')).toBe(false);
    expect(await may(root, remove, 'component:default/webshop')).toBe(true);
  });

  it('let a squad be seen of which some service may be', async () => {
    const read = deadLetterReadPermission;
    expect(await may(me, read, 'group:default/checkout')).toBe(true);
    expect(await may(root, read, 'group:default/checkout')).toBe(false);
  });
});
