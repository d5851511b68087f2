import styles from './drawer.module.css';

interface CodeProps {
  label: string;
  text: string;
  /** Long lines go on in the next one instead of to the right. */
  wrap?: boolean;
  small?: boolean;
}

/** Text to be read letter by letter, which scrolls with the keys too. */
export function Code({ label, text, wrap, small }: CodeProps) {
  return (
    <pre
      role="group"
      aria-label={label}
      className={styles.code}
      data-wrap={wrap || undefined}
      data-small={small || undefined}
      // What scrolls must be reached by keyboard.
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
    >
      {text}
    </pre>
  );
}
