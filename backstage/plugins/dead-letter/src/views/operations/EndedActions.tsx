import { RouterLink } from '@backstage/frontend-plugin-api';
import { Button, Flex } from '@backstage/ui';

interface EndedActionsProps {
  href: string;
  open: string;
  undo: string;
  onUndo?: () => void;
}

/** What a toast offers of an operation that ended. It is rendered outside of the plugin, so it is given its texts. */
export function EndedActions({ href, open, undo, onUndo }: EndedActionsProps) {
  return (
    <Flex gap="3" align="center">
      <RouterLink href={href} style={{ color: 'inherit' }}>
        {open}
      </RouterLink>
      {onUndo && (
        <Button size="small" variant="secondary" onPress={onUndo}>
          {undo}
        </Button>
      )}
    </Flex>
  );
}
