import { ReactNode } from 'react';
import { CopyButton } from '../../../components/CopyButton';
import styles from './drawer.module.css';

export interface Fact {
  name: string;
  value: ReactNode;
  /** What is copied; nothing can be where it is missing. */
  copied?: string | null;
}

/** What is known, by name. */
export function Facts({ facts }: { facts: Fact[] }) {
  return (
    <dl className={styles.facts}>
      {facts.map(({ name, value, copied }) => (
        <div key={name} className={styles.fact}>
          <dt>{name}</dt>
          <dd>
            <span>{value}</span>
            {copied && <CopyButton what={name} text={copied} />}
          </dd>
        </div>
      ))}
    </dl>
  );
}
