import { Link, Text } from '@backstage/ui';
import { ReactNode } from 'react';
import styles from './TabLink.module.css';

interface TabLinkProps {
  /** Path of the tab; null where there is none, undefined where that is not known. */
  to: string | null | undefined;
  children: ReactNode;
  /** Said where there is none. */
  hint?: string;
}

/** A name that leads to its tab, if it has one. */
export function TabLink({ to, children, hint }: TabLinkProps) {
  if (to) {
    return (
      <Link href={to} weight="bold" className={styles.name}>
        {children}
      </Link>
    );
  }
  return (
    <>
      <Text weight="bold" className={styles.name}>
        {children}
      </Text>
      {to === null && hint && (
        <Text as="div" variant="body-small" color="secondary">
          {hint}
        </Text>
      )}
    </>
  );
}
