import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Text } from '@backstage/ui';
import { sayShare } from '../../components/share';
import { deadLetterTranslationRef } from '../../translation';
import styles from './squad.module.css';

interface ShareProps {
  count: number;
  /** Its part of all of them: from 0 to 1. */
  share: number;
  /** Shows it as a bar, too. */
  bar?: boolean;
}

/** How many, and how much of the whole that is. */
export function Share({ count, share, bar }: ShareProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return (
    <>
      {count.toLocaleString()}
      {bar && (
        <div aria-hidden className={styles.bar}>
          <div style={{ width: `${share * 100}%` }} />
        </div>
      )}
      <Text as="div" variant="body-small" color="secondary">
        {count === 0
          ? t('squad.noneWaits')
          : t('squad.share', { percent: sayShare(share) })}
      </Text>
    </>
  );
}
