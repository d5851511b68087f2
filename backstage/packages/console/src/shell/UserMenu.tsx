import { Button, Menu, MenuItem, MenuTrigger } from '@backstage/ui';
import { RiUserLine } from '@remixicon/react';
import { Session } from '../session/Session';
import { useMe } from '../session/useMe';

/** Who has signed in, and the way out; nothing where nobody can. */
export function UserMenu({ session }: { session: Session }) {
  const me = useMe(session);
  if (!session.isSignedIn || !me) return null;
  return (
    <MenuTrigger>
      <Button size="small" variant="tertiary" iconStart={<RiUserLine />}>
        {shortName(me.name)}
      </Button>
      <Menu placement="bottom end">
        <MenuItem onAction={() => void session.signOut()}>Sign out</MenuItem>
      </Menu>
    </MenuTrigger>
  );
}

/** Of `jane (https://id.example.com|42)`, the name that people know. */
function shortName(name: string): string {
  return name.split(' (')[0];
}
