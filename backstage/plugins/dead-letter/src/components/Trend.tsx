import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { VisuallyHidden } from '@backstage/ui';
import { Trend as TrendView } from '@dead-letter/backstage-plugin-dead-letter-common';
import { deadLetterTranslationRef } from '../translation';
import { sayCount } from './Count';
import styles from './Trend.module.css';

const ARROWS = { more: '▲', fewer: '▼', same: '=' } as const;

/** How many died in the last hour, against the same hour of the day before. */
export function Trend({ trend }: { trend: TrendView }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { lastHour, dayBefore } = trend;
  const way = wayOf(trend);
  return (
    <span className={styles.trend}>
      <VisuallyHidden>
        {t(`squads.trend.${way}`, {
          lastHour: sayCount(lastHour),
          dayBefore: sayCount(dayBefore),
        })}
      </VisuallyHidden>
      <span aria-hidden className={styles[way]}>
        {ARROWS[way]} {sayCount(lastHour)}
      </span>
      <span aria-hidden className={styles.before}>
        {t('squads.trend.before', { dayBefore: sayCount(dayBefore) })}
      </span>
    </span>
  );
}

function wayOf({ lastHour, dayBefore }: TrendView) {
  if (lastHour > dayBefore) return 'more';
  return lastHour < dayBefore ? 'fewer' : 'same';
}
