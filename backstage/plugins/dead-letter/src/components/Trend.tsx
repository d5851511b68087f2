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
          <span
            className={styles.arrow}
            data-trend={isNotable(trend) ? comparison : undefined}
          >
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

/** So many more or fewer are within what every day has. */
const USUAL = 10;

/** Whether it has a colour: a few more than yesterday are no alarm. */
function isNotable({ lastHour, dayBefore }: TrendOfService): boolean {
  const change = Math.abs(lastHour - dayBefore);
  return change >= Math.max(USUAL, dayBefore / 2);
}

function compare({ lastHour, dayBefore }: TrendOfService) {
  if (lastHour > dayBefore) return { arrow: '▲', comparison: 'more' } as const;
  if (lastHour < dayBefore) return { arrow: '▼', comparison: 'fewer' } as const;
  return { arrow: '=', comparison: 'same' } as const;
}
