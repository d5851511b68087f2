import { CSSProperties, HTMLAttributes, PropsWithChildren } from 'react';
import styles from './Scrolled.module.css';

interface ScrolledProps {
  /** What its columns need, such as `46rem`. */
  least: string;
  className?: string;
  /** What it is, where nothing in it takes the focus: it is scrolled by keyboard then. */
  label?: string;
  /** Keeps its rows where they are, see `useSteady`. */
  hold?: HTMLAttributes<HTMLElement>;
}

/** A table that is scrolled sideways where there is less room than its columns need: none of them shrinks to nothing. */
export function Scrolled({
  least,
  className = '',
  label,
  hold,
  children,
}: PropsWithChildren<ScrolledProps>) {
  return (
    <div
      {...hold}
      {...(label && { role: 'group', 'aria-label': label, tabIndex: 0 })}
      className={`${styles.scrolled} ${className}`}
      style={{ '--least-width': least } as CSSProperties}
      data-scrolled
    >
      {children}
    </div>
  );
}
