import { PropsWithChildren } from 'react';
import { useHasEnvironment } from '../hooks/useEnvironment';
import { useMay } from '../hooks/useMay';
import { Answers } from './Answers';
import styles from './readable.module.css';

interface ReadableProps {
  /** The entity whose permissions count; none where it is about all that somebody may see. */
  resourceRef?: string;
}

/** What stands on a page of Backstage itself. For those who may not see it, it is not there: why is said on the plugin's own pages. */
export function Readable({
  resourceRef,
  children,
}: PropsWithChildren<ReadableProps>) {
  if (!useHasEnvironment()) return null;
  return (
    <Answers>
      <IfAllowed resourceRef={resourceRef}>{children}</IfAllowed>
    </Answers>
  );
}

function IfAllowed({
  resourceRef,
  children,
}: PropsWithChildren<ReadableProps>) {
  const { allowed, unknown } = useMay('read', { resourceRef });
  // Where nothing answers, what is shown says so.
  return allowed || unknown ? (
    <div className={styles.readable}>{children}</div>
  ) : null;
}
