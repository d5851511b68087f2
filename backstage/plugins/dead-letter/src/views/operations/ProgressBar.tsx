import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Operation } from '@dead-letter/backstage-plugin-dead-letter-common';
import { ProgressBar as AriaProgressBar } from 'react-aria-components';
import { deadLetterTranslationRef } from '../../translation';
import styles from './ProgressBar.module.css';
import { done } from './operation';
import { sayNumber } from './say';

/** How many of an operation's dead letters are settled. */
export function ProgressBar({ operation }: { operation: Operation }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { total, state } = operation;
  const text = t('operations.progress.done', {
    done: sayNumber(done(operation)),
    total: sayNumber(total),
  });
  return (
    <AriaProgressBar
      className={styles.bar}
      aria-label={t('operations.progress.label')}
      value={done(operation)}
      maxValue={Math.max(total, 1)}
      valueLabel={text}
    >
      {({ percentage }) => (
        <>
          <span className={styles.text}>{text}</span>
          <div className={styles.track}>
            <div
              className={styles.fill}
              style={{ width: `${percentage ?? 0}%` }}
              data-paused={state === 'paused' || undefined}
            />
          </div>
        </>
      )}
    </AriaProgressBar>
  );
}
