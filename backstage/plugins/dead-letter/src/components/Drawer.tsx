import { Dialog } from '@backstage/ui';
import { PropsWithChildren } from 'react';
import styles from './Drawer.module.css';
import readable from './readable.module.css';

interface DrawerProps {
  onClose: () => void;
}

/** What belongs to one row, beside the list that it is in. */
export function Drawer({ onClose, children }: PropsWithChildren<DrawerProps>) {
  return (
    <Dialog
      isOpen
      onOpenChange={isOpen => !isOpen && onClose()}
      className={`${styles.drawer} ${readable.readable}`}
    >
      {children}
    </Dialog>
  );
}
