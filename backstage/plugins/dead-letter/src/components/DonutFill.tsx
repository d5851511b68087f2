import { ReactNode } from 'react';
import styles from './Donut.module.css';

/** What is drawn over each colour: the first is plain, no two are alike. */
const MARKS: ReactNode[] = [
  null,
  <path d="M-2 2L2-2M0 8L8 0M6 10L10 6" />,
  <circle cx="4" cy="4" r="1.4" />,
  <path d="M0 4H8" />,
  <path d="M0 0L8 8M8 0L0 8" />,
  <path d="M4 0V8" />,
  <path d="M0 4H8M4 0V8" />,
];

/** Colour and pattern of one slice; the last one is of the others. */
export function Fill({ id, index }: { id: string; index: number }) {
  return (
    <pattern
      id={`${id}-${index}`}
      width="8"
      height="8"
      patternUnits="userSpaceOnUse"
    >
      <rect width="8" height="8" className={styles[`fill${index}`]} />
      <g className={styles.mark}>{MARKS[index]}</g>
    </pattern>
  );
}

export function fillOf(id: string, index: number): string {
  return `url(#${id}-${index})`;
}
