import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Skeleton } from '@backstage/ui';
import { deadLetterTranslationRef } from '../../../translation';
import styles from './drawer.module.css';

/** About as high as what comes: why it died, where, and its body. */
const HEIGHTS = [160, 260, 240];

/** Stands where a dead letter is going to be. */
export function DrawerSkeleton() {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return (
    <div
      role="status"
      aria-label={t('message.loading')}
      className={styles.sections}
    >
      {HEIGHTS.map(height => (
        <div key={height} className={styles.section}>
          <Skeleton width={140} height={24} />
          <Skeleton width="100%" height={height} />
        </div>
      ))}
    </div>
  );
}
