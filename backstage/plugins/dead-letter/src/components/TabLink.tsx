import { Link, Text } from '@backstage/ui';
import { ReactNode } from 'react';
import { Place } from '../hooks/useTabs';
import styles from './TabLink.module.css';

interface TabLinkProps {
  /** Undefined where it is not known. */
  to: Place | undefined;
  children: ReactNode;
  /** Said where the catalog does not have it. */
  hint?: string;
}

/** A name that leads to where its dead letters are shown. */
export function TabLink({ to, children, hint }: TabLinkProps) {
  if (!to) {
    return (
      <Text weight="bold" className={styles.name}>
        {children}
      </Text>
    );
  }
  return (
    <>
      <Link href={to.path} weight="bold" className={styles.name}>
        {children}
      </Link>
      {to.isMissing && hint && (
        <Text as="div" variant="body-small" color="secondary">
          {hint}
        </Text>
      )}
    </>
  );
}
