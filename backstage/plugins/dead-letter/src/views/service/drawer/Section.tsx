import { Text } from '@backstage/ui';
import { ReactNode, useId } from 'react';
import styles from './drawer.module.css';

interface SectionProps {
  title: string;
  /** Beside the title. */
  aside?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

/** A part of what is known of the message. */
export function Section({ title, aside, actions, children }: SectionProps) {
  const id = useId();
  return (
    <section aria-labelledby={id} className={styles.section}>
      <div className={styles.heading}>
        <Text as="h3" variant="title-x-small" id={id}>
          {title}
        </Text>
        {aside}
        {actions && <div className={styles.actions}>{actions}</div>}
      </div>
      {children}
    </section>
  );
}
