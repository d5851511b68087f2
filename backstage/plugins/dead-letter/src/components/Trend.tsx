import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Text, VisuallyHidden } from '@backstage/ui';
import { Trend as TrendOfService } from '@dead-letter/backstage-plugin-dead-letter-common';
import { deadLetterTranslationRef } from '../translation';
import styles from './Trend.module.css';

/** How many arrived in the last hour, against the same hour of the day before. */
export function Trend({ trend }: { trend: TrendOfService }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const lastHour = trend.lastHour.toLocaleString();
  const dayBefore = trend.dayBefore.toLocaleString();
  const { arrow, comparison } = compare(trend);
  return (
    <>
      <span aria-hidden className={styles.trend}>
        <span>
          <span className={styles.arrow} data-trend={comparison}>
            {arrow}
          </span>{' '}
          {lastHour}
        </span>
        <Text variant="body-small" color="secondary">
          {t('squads.trend.dayBefore', { dayBefore })}
        </Text>
      </span>
      <VisuallyHidden>
        {t('squads.trend.spoken', {
          lastHour,
          dayBefore,
          comparison: t(`squads.trend.${comparison}`),
        })}
      </VisuallyHidden>
    </>
  );
}

function compare({ lastHour, dayBefore }: TrendOfService) {
  if (lastHour > dayBefore) return { arrow: '▲', comparison: 'more' } as const;
  if (lastHour < dayBefore) return { arrow: '▼', comparison: 'fewer' } as const;
  return { arrow: '=', comparison: 'same' } as const;
}
