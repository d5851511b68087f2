import { PropsWithChildren } from 'react';
import styles from './Row.module.css';

interface RowProps {
  /** Whether what it has stands at its ends. */
  apart?: boolean;
}

/** What stands beside each other, and below each other where there is not room enough. */
export function Row({ apart, children }: PropsWithChildren<RowProps>) {
  return (
    <div className={styles.row} data-apart={apart || undefined}>
      {children}
    </div>
  );
}
